// SPDX-License-Identifier: Apache-2.0
// Tests that need something of the machine: probed once, skipped with the reason, and the skip is written where
// scripts/test lists it (and fails on CI).

import { execFileSync } from 'node:child_process';
import { appendFileSync, closeSync, existsSync, openSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';
import test, { type ImplementationFn } from 'ava';
import { deviceHierarchies } from './control-group.ts';

export type Requirement =
  | 'root'
  | 'tun'
  | 'device-groups'
  | 'dpdk-testpmd'
  | 'iperf3'
  | 'prometheus'
  | 'ping'
  | 'ethtool'
  | 'protoc'
  | 'chromium'
  | 'vxlan'
  | 'macvlan'
  | 'vlan'
  | 'wireguard'
  | 'no-wireguard'
  | 'grpc-health-probe'
  | 'nsm-peers'
  | 'spire'
  | 'kubelet'
  | 'prebuilds';

/** The programs that scripts/nsm-peers builds; a folder with NSM's published ones can be given instead. */
const nsmPeers = ['cmd-nsmgr', 'cmd-registry-memory', 'cmd-nsc', 'cmd-nse-icmp-responder', 'cmd-nse-remote-vlan'];
const nsmPeersFolder = process.env['CROSSWIRE_NSM_PEERS'] ?? '.cache/nsm-peers';

const programs: Partial<Record<Requirement, string>> = {
  'dpdk-testpmd': 'dpdk-testpmd',
  iperf3: 'iperf3',
  ping: 'ping',
  ethtool: 'ethtool',
  protoc: 'protoc',
  chromium: 'chromium',
  'grpc-health-probe': 'grpc-health-probe',
};

/** The path of a program on PATH, unpacked by scripts/setup, or in the folder of NSM's programs; undefined if there is none. */
export function findProgram(name: string): string | undefined {
  const unpacked = ['/usr/sbin', '/sbin', '.cache/prometheus/usr/bin', nsmPeersFolder, '.cache/nsm-peers'];
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...unpacked];
  return folders.map((folder) => resolve(folder, name)).find((path) => existsSync(path));
}

function whyMissing(requirement: Requirement): string | undefined {
  switch (requirement) {
    case 'root':
      return process.getuid?.() === 0 && canMakeNamespaces() ? undefined : 'needs root and CAP_SYS_ADMIN';
    case 'tun':
      return canOpenTun() ? undefined : '/dev/net/tun cannot be opened';
    case 'device-groups':
      return deviceHierarchies().length > 0 ? undefined : 'no control groups that decide on devices are mounted';
    case 'wireguard':
      return canMakeDevice('wireguard') ? undefined : 'the kernel makes no wireguard device';
    case 'no-wireguard':
      return canMakeDevice('wireguard') ? 'the kernel makes wireguard devices' : undefined;
    case 'vxlan':
      return canMakeDevice('vxlan', 'id', '1', 'dstport', '4789') ? undefined : 'the kernel makes no vxlan device';
    case 'macvlan':
      return canShare('macvlan') ? undefined : 'the kernel makes no macvlan device';
    case 'vlan':
      return canShare('macvlan') && canShare('vlan id 9') ? undefined : 'the kernel makes no vlan device';
    case 'prometheus':
      return findProgram('prometheus') && findProgram('promtool') ? undefined : 'prometheus and promtool are missing';
    case 'nsm-peers': {
      const missing = nsmPeers.filter((name) => !findProgram(name));
      return missing.length === 0
        ? undefined
        : `${missing.join(', ')} missing in ${nsmPeersFolder} (CROSSWIRE_NSM_PEERS)`;
    }
    case 'spire':
      return findProgram('spire-server') && findProgram('spire-agent')
        ? undefined
        : 'spire-server and spire-agent are missing (scripts/nsm-peers)';
    case 'kubelet':
      return existsSync('.cache/kubelet/stamp') ? undefined : 'kubelet and containerd are missing (scripts/kubelet)';
    case 'prebuilds':
      return existsSync(`prebuilds/linux-${process.arch}/crosswire.node`)
        ? undefined
        : `no addon for linux-${process.arch} in prebuilds (scripts/prebuild)`;
    default:
      return findProgram(programs[requirement] as string) ? undefined : `${programs[requirement]} is missing`;
  }
}

function canMakeNamespaces(): boolean {
  try {
    execFileSync('unshare', ['--net', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function canMakeDevice(kind: string, ...more: readonly string[]): boolean {
  try {
    execFileSync('unshare', ['--net', 'ip', 'link', 'add', 'probe', 'type', kind, ...more], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Tries it on a bridge, which every usable kernel has. */
function canShare(type: string): boolean {
  const script = `ip link add br9 type bridge && ip link add link br9 name probe type ${type}`;
  try {
    execFileSync('unshare', ['--net', 'sh', '-c', script], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function canOpenTun(): boolean {
  try {
    closeSync(openSync('/dev/net/tun', 'r+'));
    return true;
  } catch {
    return false;
  }
}

/** `test.serial`, or a recorded skip where the machine lacks something. */
export function testWith(requirements: readonly Requirement[], title: string, body: ImplementationFn<[]>): void {
  const reasons = requirements.map(whyMissing).filter((reason) => reason !== undefined);
  if (reasons.length === 0) {
    test.serial(title, body);
    return;
  }
  const line = `SKIP ${title}: ${reasons.join('; ')}\n`;
  process.stderr.write(line);
  const list = process.env['CROSSWIRE_SKIP_LIST'];
  if (list) appendFileSync(list, line);
  test.serial.skip(title, body);
}
