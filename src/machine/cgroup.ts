// SPDX-License-Identifier: Apache-2.0
// Reads the CPU quota of this process's control group and how often the quota throttled it, for cgroup v1 and v2:
// cgroups(7), the kernel's Documentation/admin-guide/cgroup-v2.rst (cpu.max, cpu.stat) and scheduler/sched-bwc.rst.

import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface CpuQuota {
  /** The tightest quota, in CPUs; null if there is no quota. */
  readonly cpus: number | null;
  readonly throttling: {
    readonly periods: bigint;
    readonly throttledPeriods: bigint;
    readonly throttledNanoseconds: bigint;
  } | null;
}

interface Hierarchy {
  readonly version: 1 | 2;
  readonly mount: string;
  readonly directory: string;
}

/** `root` is '/' except in tests. */
export async function readCpuQuota(root = '/'): Promise<CpuQuota> {
  const hierarchy = await findHierarchy(root);
  if (hierarchy === undefined) return { cpus: null, throttling: null };
  let cpus: number | null = null;
  let limiting = hierarchy.directory;
  // The quotas of all ancestor groups apply as well.
  for (const directory of upTo(hierarchy.directory, hierarchy.mount)) {
    const quota = await quotaOf(directory, hierarchy.version);
    if (quota !== null && (cpus === null || quota < cpus)) [cpus, limiting] = [quota, directory];
  }
  return { cpus, throttling: await throttlingOf(limiting, hierarchy.version) };
}

async function findHierarchy(root: string): Promise<Hierarchy | undefined> {
  const groups = (await lines(join(root, 'proc/self/cgroup'))).map((line) => line.split(':'));
  const mounts = (await lines(join(root, 'proc/self/mountinfo'))).map(parseMount);
  const v1 = groups.find(([, controllers]) => controllers?.split(',').includes('cpu'));
  const v2 = groups.find(([id, controllers]) => id === '0' && controllers === '');
  // On a hybrid machine, which has both versions, the cpu controller may be mounted as v1.
  const mount1 = mounts.find(({ type, options }) => type === 'cgroup' && options.includes('cpu'));
  const mount2 = mounts.find(({ type }) => type === 'cgroup2');
  if (v1 && mount1) return within(root, 1, mount1, v1.slice(2).join(':'));
  if (v2 && mount2) return within(root, 2, mount2, v2.slice(2).join(':'));
  return undefined;
}

interface Mount {
  readonly root: string;
  readonly point: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** proc_pid_mountinfo(5) */
function parseMount(line: string): Mount {
  const [before = '', behind = ''] = line.split(' - ');
  const [, , , root = '', point = ''] = before.split(' ');
  const [type = '', , options = ''] = behind.split(' ');
  return { root, point, type, options: options.split(',') };
}

function within(root: string, version: 1 | 2, mount: Mount, group: string): Hierarchy {
  // In a container the mount may show only the subtree of the container's own group.
  const below = mount.root !== '/' && group.startsWith(mount.root) ? group.slice(mount.root.length) : group;
  const point = join(root, mount.point);
  return { version, mount: point, directory: join(point, below) };
}

function* upTo(directory: string, mount: string): Generator<string> {
  for (let at = directory; at.startsWith(mount); at = dirname(at)) {
    yield at;
    if (at === dirname(at)) return;
  }
}

async function quotaOf(directory: string, version: 1 | 2): Promise<number | null> {
  if (version === 2) {
    const [quota, period] = (await text(join(directory, 'cpu.max'))).trim().split(' ');
    return quota === 'max' ? null : ratio(quota, period);
  }
  const quota = await text(join(directory, 'cpu.cfs_quota_us'));
  return quota.startsWith('-') ? null : ratio(quota, await text(join(directory, 'cpu.cfs_period_us')));
}

function ratio(quota: string | undefined, period: string | undefined): number | null {
  const cpus = Number(quota) / Number(period);
  return quota && Number.isFinite(cpus) && cpus > 0 ? cpus : null;
}

async function throttlingOf(directory: string, version: 1 | 2): Promise<CpuQuota['throttling']> {
  const values = new Map<string, bigint>();
  for (const line of await lines(join(directory, 'cpu.stat'))) {
    const [key = '', value = ''] = line.split(' ');
    if (/^\d+$/.test(value)) values.set(key, BigInt(value));
  }
  const periods = values.get('nr_periods');
  const throttledPeriods = values.get('nr_throttled');
  const time = version === 2 ? values.get('throttled_usec') : values.get('throttled_time');
  if (periods === undefined || throttledPeriods === undefined || time === undefined) return null;
  return { periods, throttledPeriods, throttledNanoseconds: version === 2 ? time * 1000n : time };
}

const text = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
const lines = async (path: string): Promise<string[]> => (await text(path)).split('\n').filter((line) => line !== '');
