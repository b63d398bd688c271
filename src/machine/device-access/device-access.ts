// SPDX-License-Identifier: Apache-2.0
// Grants on control groups of either version, carried out and withdrawn. Both can be repeated at any time: the groups
// keep the records themselves (native/os/grant_records.hpp), so counting survives every restart.

import type { Dataplane, DeviceAccess } from '../../dataplane/types.ts';
import { CrosswireError } from '../../model/error.ts';
import { directoriesOf } from './control-group.ts';
import { checkGrant, type DeviceGrant } from './device-grant.ts';

type AccessControl = Pick<Dataplane, 'grantDevices' | 'withdrawDevices'>;

export interface GrantedGroup extends DeviceAccess {
  readonly directory: string;
}

/** On failure the groups are as before. Repeat it where the container runtime may have undone it. */
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
      gone = error; // one container of several may end at any time
    }
  }
  if (granted.length === 0) throw gone;
  return granted;
}

/** Groups that are gone need nothing. Goes through all of them, then rejects with the first error. */
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
