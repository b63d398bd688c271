// SPDX-License-Identifier: Apache-2.0
// Two runs side by side, as Markdown.

import type { Run } from '../harness/result.ts';

export function compareRuns(a: Run, b: Run): string {
  return `${a.startedAt} ${b.startedAt}\n`;
}
