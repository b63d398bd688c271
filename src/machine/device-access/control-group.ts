// SPDX-License-Identifier: Apache-2.0
// Checks and expands paths of control groups. A path may come from a peer (NSM's cgroupDir), so that parts such as '..' are
// refused instead of resolved.

import { readdir } from 'node:fs/promises';
import { posix } from 'node:path';
import { CrosswireError } from '../../model/error.ts';

/** A pod has a handful of containers: a pattern that matches more groups does not name one pod. */
const mostGroups = 64;

const operation = 'find the control group of a workload';

/** Joins NSM's cgroupDir to the directory where control groups are mounted; the result is always below that directory. */
export function controlGroupBelow(mount: string, directory: string): string {
  const named = directory.split('/').filter((part) => part !== '');
  if (named.length === 0 || named[0] === '*') throw invalid(directory, 'it names no group of one workload');
  const path = `${mount}/${named.join('/')}`;
  checkControlGroup(path);
  return path;
}

/** Throws CGROUP_INVALID unless the path is absolute, has no '.' or '..', and has '*' only as its last element. */
export function checkControlGroup(path: string): void {
  const [root, ...parts] = path.split('/');
  const isBad = (part: string) => part === '' || part === '.' || part === '..' || part.includes('\0');
  if (root !== '' || parts.length === 0 || parts.some(isBad))
    throw invalid(path, "it must be absolute, without empty parts, '.' or '..'");
  if (parts.slice(0, -1).includes('*')) throw invalid(path, "only its last element may be '*'");
}

/** The directories that the path names: one, or if it ends with '*', all groups directly below. */
export async function directoriesOf(path: string): Promise<string[]> {
  checkControlGroup(path);
  if (posix.basename(path) !== '*') return [path];
  const parent = posix.dirname(path);
  const entries = await readdir(parent, { withFileTypes: true }).catch(() => []);
  const groups = entries.filter((entry) => entry.isDirectory()).map(({ name }) => posix.join(parent, name));
  if (groups.length > mostGroups) throw invalid(path, `it stands for ${groups.length} groups, more than ${mostGroups}`);
  return groups;
}

function invalid(subject: string, reason: string): CrosswireError {
  const hint = 'name the group of the pod or container, e.g. /sys/fs/cgroup/devices/kubepods/pod…/*';
  return new CrosswireError({ code: 'CGROUP_INVALID', operation, subject, reason, hint });
}
