// SPDX-License-Identifier: Apache-2.0
// The interface to the supervisor that the control API uses.

import type { Supervisor } from '../supervisor/supervisor.ts';

export type WireManager = Pick<
  Supervisor,
  'set' | 'remove' | 'list' | 'get' | 'look' | 'explain' | 'health' | 'counters'
>;
