// SPDX-License-Identifier: Apache-2.0
// doctor: limits, memory, network namespaces, interfaces.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MachineFinding } from '../../model/machine.ts';

export async function surroundingFindings(root: string): Promise<MachineFinding[]> {
  const limits = await text(root, 'proc/self/limits');
  return [
    openFiles(limits),
    lockedMemory(limits),
    await hugepages(root),
    await namespaces(root),
    await ipv6(root),
    await mtus(root),
  ];
}

const enoughFiles = 16_384; // a memif end takes about ten, so this is enough for more than a thousand ends

function openFiles(limits: string): MachineFinding {
  const [soft, hard] = limitOf(limits, 'Max open files');
  const found = `${soft} (can be raised to ${hard})`;
  if (soft === 'unlimited' || Number(soft) >= enoughFiles) return { check: 'open-files', state: 'ok', found };
  const advice = `ulimit -n ${enoughFiles}, or LimitNOFILE= of the service: every memif end takes some ten`;
  return { check: 'open-files', state: 'warning', found, advice };
}

function lockedMemory(limits: string): MachineFinding {
  const [soft] = limitOf(limits, 'Max locked memory');
  const found = `${soft}${soft === 'unlimited' ? '' : ' bytes'} may be locked; Crosswire locks none`;
  return { check: 'locked-memory', state: 'ok', found };
}

/** proc_pid_limits(5): the columns are name, soft limit, hard limit, unit. */
function limitOf(limits: string, name: string): [string, string] {
  const [, soft = 'unknown', hard = 'unknown'] = new RegExp(`^${name}\\s+(\\S+)\\s+(\\S+)`, 'm').exec(limits) ?? [];
  return [soft, hard];
}

async function hugepages(root: string): Promise<MachineFinding> {
  const memory = await text(root, 'proc/meminfo');
  const value = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(memory)?.[1] ?? 0);
  const total = value('HugePages_Total');
  const found =
    total === 0
      ? 'none reserved; Crosswire needs none, DPDK and VPP peers may (or --no-huge)'
      : `${total} of ${value('Hugepagesize')} kB reserved, ${value('HugePages_Free')} free; Crosswire needs none`;
  return { check: 'hugepages', state: 'ok', found };
}

async function namespaces(root: string): Promise<MachineFinding> {
  const names = await readdir(join(root, 'run/netns')).catch(() => undefined);
  if (names) return { check: 'named-namespaces', state: 'ok', found: `${names.length} in /run/netns` };
  return {
    check: 'named-namespaces',
    state: 'note',
    found: 'there is no /run/netns',
    advice:
      "`ip netns add NAME` makes it; in a container, mount the host's /run/netns with mountPropagation HostToContainer",
  };
}

async function ipv6(root: string): Promise<MachineFinding> {
  const disabled = (await text(root, 'proc/sys/net/ipv6/conf/default/disable_ipv6')).trim();
  if (disabled === '0') return { check: 'ipv6', state: 'ok', found: 'new interfaces have it' };
  const found = disabled === '' ? 'the kernel has none' : 'switched off for new interfaces (disable_ipv6)';
  return { check: 'ipv6', state: 'note', found, advice: 'wires with IPv6 addresses on kernel ends will not come up' };
}

async function mtus(root: string): Promise<MachineFinding> {
  const names: string[] = await readdir(join(root, 'sys/class/net')).catch(() => []);
  const read = names
    .toSorted()
    .slice(0, 16)
    .map(async (name) => {
      const mtu = (await text(root, `sys/class/net/${name}/mtu`)).trim();
      return mtu ? `${name} ${mtu}` : '';
    });
  const shown = (await Promise.all(read)).filter((entry) => entry !== '').join(', ');
  const found = `wires may have 68 to 65521 bytes (1280 with IPv6); interfaces here: ${shown || 'none'}`;
  return { check: 'mtu', state: 'ok', found };
}

const text = (root: string, path: string): Promise<string> => readFile(join(root, path), 'utf8').catch(() => '');
