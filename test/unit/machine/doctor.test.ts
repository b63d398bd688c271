// SPDX-License-Identifier: Apache-2.0
// doctor and the CPU quota on made-up machines, each a directory.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { MachineProbe } from '../../../src/dataplane/types.ts';
import { readCpuQuota } from '../../../src/machine/cgroup.ts';
import { examineMachine } from '../../../src/machine/doctor/doctor.ts';
import { requireCapabilities } from '../../../src/machine/privileges.ts';
import { CrosswireError } from '../../../src/model/error.ts';

function machine(t: ExecutionContext, files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'crosswire-machine-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const version1 = {
  'proc/self/cgroup': '4:memory:/other\n3:cpu,cpuacct:/kubepods/pod1/c1\n0::/\n',
  'proc/self/mountinfo':
    '30 20 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n31 20 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n',
};
const cpu1 = 'sys/fs/cgroup/cpu/kubepods/pod1/c1';
const version2 = {
  'proc/self/cgroup': '0::/kubepods/pod1/c1\n',
  'proc/self/mountinfo': '30 20 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n',
};
const cpu2 = 'sys/fs/cgroup/kubepods/pod1/c1';

test('a quota of version 1, with its throttled counts', async (t) => {
  const root = machine(t, {
    ...version1,
    [`${cpu1}/cpu.cfs_quota_us`]: '52500\n',
    [`${cpu1}/cpu.cfs_period_us`]: '100000\n',
    [`${cpu1}/cpu.stat`]: 'nr_periods 100\nnr_throttled 7\nthrottled_time 123456789\n',
  });
  t.deepEqual(await readCpuQuota(root), {
    cpus: 0.525,
    throttling: { periods: 100n, throttledPeriods: 7n, throttledNanoseconds: 123456789n },
  });
});

test('no quota in version 1', async (t) => {
  const root = machine(t, {
    ...version1,
    [`${cpu1}/cpu.cfs_quota_us`]: '-1\n',
    [`${cpu1}/cpu.cfs_period_us`]: '100000\n',
    [`${cpu1}/cpu.stat`]: 'nr_periods 0\nnr_throttled 0\nthrottled_time 0\n',
  });
  t.like(await readCpuQuota(root), { cpus: null, throttling: { periods: 0n } });
});

test('version 2: the tightest quota up the tree holds, and its group counts', async (t) => {
  const root = machine(t, {
    ...version2,
    [`${cpu2}/cpu.max`]: 'max 100000\n',
    [`${cpu2}/cpu.stat`]: 'usage_usec 5\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0\n',
    [`${cpu2}/../cpu.max`]: '150000 100000\n',
    [`${cpu2}/../cpu.stat`]: 'usage_usec 5\nnr_periods 9\nnr_throttled 4\nthrottled_usec 33\n',
    [`${cpu2}/../../cpu.max`]: '400000 100000\n',
  });
  t.deepEqual(await readCpuQuota(root), {
    cpus: 1.5,
    throttling: { periods: 9n, throttledPeriods: 4n, throttledNanoseconds: 33_000n },
  });
});

test('a container that sees only its own group', async (t) => {
  const root = machine(t, {
    'proc/self/cgroup': '0::/docker/abc\n',
    'proc/self/mountinfo': '30 20 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n',
    'sys/fs/cgroup/cpu.max': '200000 100000\n',
  });
  t.deepEqual(await readCpuQuota(root), { cpus: 2, throttling: null });
});

test('a machine without control groups', async (t) => {
  t.deepEqual(await readCpuQuota(machine(t, {})), { cpus: null, throttling: null });
});

const able: MachineProbe = {
  kernel: '6.18.0',
  capabilities: ['CAP_NET_ADMIN', 'CAP_SYS_ADMIN'],
  tun: true,
  tunVirtioHeader: true,
  udpSegmentation: true,
  memfd: true,
  abstractSockets: true,
  tunnels: { wireguard: true },
};
const everything = {
  ...version2,
  'proc/self/status': 'Name:\tnode\nCapEff:\t000001ffffffffff\n',
  'proc/self/limits':
    'Limit                     Soft Limit           Hard Limit           Units\nMax open files            1048576              1048576              files\nMax locked memory         unlimited            unlimited            bytes\n',
  'proc/meminfo': 'HugePages_Total:       8\nHugePages_Free:        6\nHugepagesize:       2048 kB\n',
  'proc/sys/net/ipv6/conf/default/disable_ipv6': '0\n',
  'run/netns/web': '',
  'sys/class/net/eth0/mtu': '9000\n',
  'sys/module/vxlan/refcnt': '0\n',
  'sys/module/macvlan/refcnt': '0',
  'sys/module/8021q/refcnt': '0',
  'sys/bus/pci/devices/0000:01:00.0/uevent': 'PCI_CLASS=20000\nPCI_ID=8086:10C9\n',
  'sys/bus/pci/devices/0000:01:00.0/sriov_totalvfs': '7\n',
  'sys/bus/pci/devices/0000:01:00.0/sriov_numvfs': '2\n',
  'sys/bus/pci/devices/0000:01:00.0/net/eth0/mtu': '9000\n',
  'sys/bus/pci/drivers/vfio-pci/bind': '',
  'sys/kernel/iommu_groups/1/type': 'DMA\n',
};
const underlay = { interface: 'eth0', address: '192.0.2.1', mtu: 9000 };
const findUnderlay = async () => underlay;

const examine = (root: string, probe: MachineProbe) =>
  examineMachine({ root, findUnderlay, loadDataplane: async () => ({ probe: async () => probe }) });

test('a machine that can do everything', async (t) => {
  const report = await examine(machine(t, everything), able);
  t.true(report.fit);
  t.deepEqual(
    report.findings.filter(({ state }) => state !== 'ok').map(({ check }) => check),
    ['nsm-vfio'],
    'what no machine has',
  );
  const found = Object.fromEntries(report.findings.map((finding) => [finding.check, finding.found]));
  t.regex(found['hugepages'] ?? '', /8 of 2048 kB reserved, 6 free/);
  t.regex(found['mtu'] ?? '', /eth0 9000/);
  t.is(found['sriov'], 'eth0 (0000:01:00.0, no driver) has 2 of 7 virtual functions');
  t.is(found['iommu'], '1 groups of devices');
});

test('a machine that can do nothing: each finding has advice, and the essential ones are missing', async (t) => {
  const refused = new CrosswireError({
    code: 'ADDON_MISSING',
    operation: 'load',
    subject: 'x',
    reason: 'gone',
    hint: 'build it',
  });
  const root = machine(t, { 'proc/self/status': 'CapEff:\t0000000000000000\n' });
  const report = await examineMachine({
    root,
    findUnderlay: async () => undefined,
    loadDataplane: () => Promise.reject(refused),
  });
  t.false(report.fit);
  t.deepEqual(
    report.findings.filter(({ state }) => state === 'missing').map(({ check }) => check),
    ['addon', 'CAP_NET_ADMIN', 'CAP_SYS_ADMIN'],
  );
  for (const { check, state, advice } of report.findings) if (state !== 'ok') t.truthy(advice, check);
  t.like(report.findings[0], { found: 'ADDON_MISSING: gone', advice: 'build it' });
});

test('features that the kernel lacks, a quota and few files are warnings', async (t) => {
  const lacking = {
    ...able,
    kernel: '5.4.0',
    tun: false,
    tunVirtioHeader: false,
    udpSegmentation: false,
    memfd: false,
  };
  const root = machine(t, {
    ...everything,
    [`${cpu2}/cpu.max`]: '52500 100000\n',
    [`${cpu2}/cpu.stat`]: 'nr_periods 10\nnr_throttled 3\nthrottled_usec 5000\n',
    'proc/self/limits': 'Max open files            1024                 4096                 files\n',
  });
  const report = await examine(root, lacking);
  t.true(report.fit, 'veth wires still work');
  const states = Object.fromEntries(report.findings.map(({ check, state }) => [check, state]));
  t.like(states, {
    kernel: 'warning',
    tun: 'warning',
    'tun-offload': 'warning',
    'udp-segmentation': 'note',
    memfd: 'warning',
    'cpu-quota': 'warning',
    'open-files': 'warning',
  });
  const quota = report.findings.find(({ check }) => check === 'cpu-quota');
  t.is(quota?.found, '0.525 CPUs; stopped in 3 of 10 periods, 5 ms in all');
});

test('missing capabilities are named', (t) => {
  t.notThrows(() => requireCapabilities(['CAP_NET_ADMIN', 'CAP_SYS_ADMIN', 'CAP_OTHER']));
  t.throws(() => requireCapabilities(['CAP_NET_ADMIN']), { code: 'CAPABILITY_MISSING', message: /\(CAP_SYS_ADMIN\)/ });
  t.throws(() => requireCapabilities([]), { message: /\(CAP_NET_ADMIN, CAP_SYS_ADMIN\)/ });
});

test('mechanisms of a mesh: offered where they can be had, and the reason where not', async (t) => {
  const foundOf = async (files: Readonly<Record<string, string>>, where: typeof underlay | undefined, probe = able) => {
    const loadDataplane = async () => ({ probe: async () => probe });
    const settings = { root: machine(t, files), findUnderlay: async () => where, loadDataplane };
    const { findings } = await examineMachine(settings);
    return (check: string) => findings.find((finding) => finding.check === check);
  };
  const loaded = ['vxlan', 'macvlan', '8021q'].map((module) => `sys/module/${module}/refcnt`);
  const unloaded = Object.fromEntries(Object.entries(everything).filter(([path]) => !loaded.includes(path)));
  const modules = `lib/modules/${able.kernel}`;

  const offered = await foundOf(everything, underlay);
  t.like(offered('nsm-vxlan'), { state: 'ok' });
  t.regex(offered('nsm-vxlan')?.found ?? '', /from 192\.0\.2\.1 on eth0 \(MTU 9000\)/);
  t.like(offered('nsm-memif'), { state: 'ok' });
  t.like(offered('nsm-wireguard'), { state: 'ok' });
  t.regex(offered('nsm-wireguard')?.found ?? '', /payload IP, from 192\.0\.2\.1 on eth0/);
  t.like((await foundOf(everything, underlay, { ...able, tunnels: { wireguard: false } }))('nsm-wireguard'), {
    state: 'warning',
    found: 'WIREGUARD is not offered: the kernel does not have it',
  });

  const loadable = { ...unloaded, [`${modules}/modules.dep`]: 'kernel/drivers/net/vxlan/vxlan.ko.xz: kernel/a.ko\n' };
  t.like((await foundOf(loadable, underlay))('nsm-vxlan'), { state: 'ok' });
  const without = { ...unloaded, [`${modules}/modules.builtin`]: 'kernel/net/other_vxlan.ko\n' };
  t.like((await foundOf(without, underlay))('nsm-vxlan'), {
    state: 'warning',
    found: 'VXLAN is not offered: the kernel does not have it',
  });
  t.like((await foundOf(unloaded, underlay))('nsm-vxlan'), { state: 'note' }, 'modules cannot be seen');
  const vlanOf = async (files: typeof unloaded) => (await foundOf(files, underlay))('vlan');
  const with8021q = (more: string) => ({ ...unloaded, [`${modules}/modules.builtin`]: `kernel/8021q.ko\n${more}` });
  t.like(await vlanOf(unloaded), { state: 'note' });
  t.regex((await vlanOf(without))?.found ?? '', /has no macvlan/);
  t.regex((await vlanOf(with8021q('')))?.found ?? '', /has no macvlan/);
  t.like(await vlanOf(with8021q('kernel/macvlan.ko\n')), { state: 'ok' });
  const untagged = { ...unloaded, [`${modules}/modules.builtin`]: 'kernel/macvlan.ko\n' };
  t.regex((await vlanOf(untagged))?.found ?? '', /id 0 only/);
  t.like((await foundOf(everything, undefined))('nsm-vxlan'), {
    state: 'warning',
    advice: 'set NSM_TUNNEL_IP to an address of this node',
  });
  t.regex((await foundOf(everything, underlay, { ...able, memfd: false }))('nsm-memif')?.found ?? '', /see memfd$/);
});

test('the SR-IOV file against the machine: what it says and is not so', async (t) => {
  const nic = 'sys/bus/pci/devices/0000:01:00.0';
  const files = {
    ...everything,
    [`${nic}/uevent`]: 'DRIVER=igb\nPCI_CLASS=20000\n',
    'sys/bus/pci/drivers/igbvf/bind': '',
  };
  const igb = {
    pci: '0000:01:00.0',
    pfKernelDriver: 'igb',
    vfKernelDriver: 'igbvf',
    capabilities: ['a'],
    serviceDomains: ['b'],
  };
  let vfio: string | undefined;
  const found = async (readSriovFile: () => Promise<(typeof igb)[] | undefined>) => {
    const loadDataplane = async () => ({ probe: async () => able });
    const { findings } = await examineMachine({ root: machine(t, files), findUnderlay, loadDataplane, readSriovFile });
    vfio = findings.find(({ check }) => check === 'nsm-vfio')?.state;
    return findings.find(({ check }) => check === 'sriov-file');
  };

  t.is(await found(async () => undefined), undefined);
  t.is(vfio, 'note');
  t.like(await found(async () => [igb]), { state: 'ok', found: '1 of 1 NICs are as the file says' });
  t.is(vfio, 'ok');
  const wrong = [
    { ...igb, pfKernelDriver: 'ice' },
    { ...igb, vfKernelDriver: 'iavf' },
    { ...igb, pci: '0000:09:00.0' },
  ];
  t.like(await found(async () => wrong), {
    state: 'warning',
    found:
      '0000:01:00.0 has igb, not ice; iavf is not loaded; 0000:09:00.0 is not a NIC that can have virtual functions',
  });
  const broken = new AggregateError([new Error('f:1:1: is broken')]);
  t.like(await found(() => Promise.reject(broken)), { state: 'warning', found: 'f:1:1: is broken' });
});
