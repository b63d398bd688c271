// SPDX-License-Identifier: Apache-2.0
// What the control API needs of the supervisor; nothing else of it is visible here.

import type { Supervisor } from '../supervisor/supervisor.ts';

export type WireManager = Pick<
  Supervisor,
  'set' | 'remove' | 'list' | 'get' | 'look' | 'explain' | 'health' | 'counters'
>;
