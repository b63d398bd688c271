// SPDX-License-Identifier: Apache-2.0
// What taking and giving back work with.

import type { Dataplane } from '../../dataplane/types.ts';
import type { LeaseJournal } from './lease-journal.ts';
import type { Sysfs } from './sysfs.ts';

export interface Borrowing {
  readonly sysfs: Sysfs;
  readonly dataplane: Pick<
    Dataplane,
    | 'listInterfaces'
    | 'changeInterface'
    | 'moveInterface'
    | 'readVirtualFunctions'
    | 'changeVirtualFunction'
    | 'grantDevices'
    | 'withdrawDevices'
    | 'identifyNamespace'
  >;
  readonly journal: Pick<LeaseJournal, 'write' | 'erase'>;
  /** '/dev/vfio' but for tests. */
  readonly nodes: string;
}

/** The forwarder's own network namespace, where devices and their physical functions are at home. */
export const home = '';
