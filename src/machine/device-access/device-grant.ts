// SPDX-License-Identifier: Apache-2.0
// What a workload may do with device nodes that its control group refuses. A grant is plain data that is complete
// before anything is done: write it down first, then carry it out; whoever reads it later can withdraw it.

import type { DeviceNode } from '../../dataplane/types.ts';
import { CrosswireError } from '../../model/error.ts';

export interface DeviceGrant {
  /** Absolute directory of the workload's group, or of the group above with '/*' behind it: all directly below. */
  readonly cgroup: string;
  /** For whom: a name of its own for each lease or end, the same after a restart. Grants of others stay untouched. */
  readonly holder: string;
  readonly nodes: readonly DeviceNode[];
}

/** A name in `trusted.crosswire.` is at most XATTR_NAME_MAX (255) long. */
const holderForm = /^[!-~]{1,200}$/;
const mostNodes = 64;
/** MINORBITS of the kernel's linux/kdev_t.h. */
const highest = { major: 2 ** 12 - 1, minor: 2 ** 20 - 1 };

/** Throws INVALID_ARGUMENT. */
export function checkGrant({ holder, nodes, cgroup }: DeviceGrant): void {
  if (!holderForm.test(holder)) throw invalid(cgroup, 'a holder has 1 to 200 visible ASCII characters');
  if (nodes.length === 0 || nodes.length > mostNodes) throw invalid(cgroup, `a grant has 1 to ${mostNodes} nodes`);
  for (const { major, minor } of nodes) {
    if (!isWithin(major, highest.major) || !isWithin(minor, highest.minor))
      throw invalid(cgroup, `${major}:${minor} is no device number`);
  }
}

const isWithin = (value: number, most: number) => Number.isInteger(value) && value >= 0 && value <= most;

function invalid(subject: string, reason: string): CrosswireError {
  return new CrosswireError({ code: 'INVALID_ARGUMENT', operation: 'grant devices', subject, reason });
}
