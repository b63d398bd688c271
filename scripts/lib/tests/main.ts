// SPDX-License-Identifier: Apache-2.0
// Runs the tests that scripts/test was asked for.

import { select } from './selection.ts';
import { Session } from './session.ts';
import { UsageError } from './usage-error.ts';

try {
  const { stages, live } = select(process.argv.slice(2));
  process.exitCode = await new Session(live).run(stages);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`scripts/test: ${error.message}`);
  process.exitCode = 2;
}
