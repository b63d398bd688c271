// SPDX-License-Identifier: Apache-2.0
// Carries out and withdraws grants on control groups of v1 and v2. Both can be repeated at any time. The records of grants
// are stored on the groups themselves (native/os/grant_records.hpp), so that they survive a restart of the daemon.

import type { Dataplane, DeviceAccess } from '../../dataplane/types.ts';
import { CrosswireError } from '../../model/error.ts';
import { directoriesOf } from './control-group.ts';
import { checkGrant, type DeviceGrant } from './device-grant.ts';

type AccessControl = Pick<Dataplane, 'grantDevices' | 'withdrawDevices'>;

export interface GrantedGroup extends DeviceAccess {
  readonly directory: string;
}

/** On failure all groups are as they were. Call it again whenever the container runtime may have undone the grant. */
export async function grantDevices(dataplane: AccessControl, grant: DeviceGrant): Promise<GrantedGroup[]> {
  checkGrant(grant);
  const directories = await directoriesOf(grant.cgroup);
  const granted: GrantedGroup[] = [];
  let gone: unknown = missing(grant.cgroup);
  for (const directory of directories) {
    try {
      granted.push({ directory, ...(await dataplane.grantDevices(directory, grant.holder, grant.nodes)) });
    } catch (error) {
      if (!isGone(error)) {
        await undo(dataplane, grant.holder, granted);
        throw error;
      }
      gone = error; // one of several containers may end at any time
    }
  }
  if (granted.length === 0) throw gone;
  return granted;
}

/** Tries all groups, then rejects with the first error. A group that no longer exists is no error. */
export async function withdrawDevices(dataplane: AccessControl, { cgroup, holder }: DeviceGrant): Promise<void> {
  const directories = await directoriesOf(cgroup);
  const outcomes = await Promise.allSettled(directories.map((one) => dataplane.withdrawDevices(one, holder)));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
}

async function undo(dataplane: AccessControl, holder: string, granted: readonly GrantedGroup[]): Promise<void> {
  const changed = granted.filter((group) => group.changed);
  await Promise.allSettled(changed.map(({ directory }) => dataplane.withdrawDevices(directory, holder)));
}

const isGone = (error: unknown) => error instanceof CrosswireError && error.code === 'CGROUP_MISSING';

function missing(subject: string): CrosswireError {
  const reason = 'there is no control group at that place';
  return new CrosswireError({ code: 'CGROUP_MISSING', operation: 'grant devices', subject, reason });
}
