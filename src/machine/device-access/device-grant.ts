// SPDX-License-Identifier: Apache-2.0
// A grant: which device nodes a workload may open although its control group denies them. A grant is plain data and
// complete before it is carried out: store it first, so that it can be withdrawn after a crash.

import type { DeviceNode } from '../../dataplane/types.ts';
import { CrosswireError } from '../../model/error.ts';

export interface DeviceGrant {
  /** Absolute path of the workload's group, or the path of its parent followed by '/*' for all groups below the parent. */
  readonly cgroup: string;
  /** A unique name for each lease or end, the same after a restart. Grants of other holders are not touched. */
  readonly holder: string;
  readonly nodes: readonly DeviceNode[];
}

/** The holder becomes part of an extended attribute's name, `trusted.crosswire.…`, of at most XATTR_NAME_MAX (255) bytes. */
const holderForm = /^[!-~]{1,200}$/;
const mostNodes = 64;
/** MINORBITS in the kernel's linux/kdev_t.h is 20. */
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
