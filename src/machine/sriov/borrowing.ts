// SPDX-License-Identifier: Apache-2.0
// The dependencies of taking a device and giving it back.

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
  /** Where the device nodes of VFIO groups are: '/dev/vfio' by default. */
  readonly nodes: string;
}

/** The forwarder's own network namespace, which holds the physical functions and the devices that are not lent. */
export const ownNamespace = '';
