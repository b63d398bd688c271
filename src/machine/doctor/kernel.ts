// SPDX-License-Identifier: Apache-2.0
// doctor: the kernel's features and the capabilities of this process.

import { readFile, stat } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import type { MachineProbe } from '../../dataplane/types.ts';
import type { MachineFinding } from '../../model/machine.ts';

const oldest = [5, 10] as const; // the oldest kernel that is tested

interface Capability {
  readonly name: string;
  readonly bit: number; // linux/capability.h
  readonly essential: boolean;
  readonly use: string;
}

const capabilities: readonly Capability[] = [
  { name: 'CAP_NET_ADMIN', bit: 12, essential: true, use: 'makes and changes interfaces' },
  { name: 'CAP_SYS_ADMIN', bit: 21, essential: true, use: "enters workloads' network namespaces" },
  {
    name: 'CAP_SYS_PTRACE',
    bit: 19,
    essential: false,
    use: 'finds namespaces by the pid of a process of another user',
  },
];

export async function capabilityFindings(root: string, probe: MachineProbe | undefined): Promise<MachineFinding[]> {
  const status = await readFile(join(root, 'proc/self/status'), 'utf8').catch(() => '');
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  return capabilities.map(({ name, bit, essential, use }) => {
    const held = Boolean((effective >> BigInt(bit)) & 1n) || (probe?.capabilities.includes(name) ?? false);
    if (held) return { check: name, state: 'ok', found: `held; ${use}` };
    const state = essential ? 'missing' : 'note';
    return {
      check: name,
      state,
      found: `not held; ${use}`,
      advice: `run as root, or add ${name} to the container's capabilities`,
    };
  });
}

export async function kernelFindings(root: string, probe: MachineProbe | undefined): Promise<MachineFinding[]> {
  const version = probe?.kernel ?? release();
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const old = major < oldest[0] || (major === oldest[0] && minor < oldest[1]);
  const findings: MachineFinding[] = [
    old
      ? {
          check: 'kernel',
          state: 'warning',
          found: version,
          advice: `${oldest.join('.')} is the oldest that is tested`,
        }
      : { check: 'kernel', state: 'ok', found: version },
  ];
  if (probe) findings.push(...featureFindings(probe));
  else findings.push(await tunDevice(root));
  return findings;
}

function featureFindings(probe: MachineProbe): MachineFinding[] {
  const yes = (
    check: string,
    able: boolean,
    found: string,
    otherwise: Omit<MachineFinding, 'check'>,
  ): MachineFinding => (able ? { check, state: 'ok', found } : { check, ...otherwise });
  return [
    yes('tun', probe.tun, '/dev/net/tun can be opened', {
      state: 'warning',
      found: '/dev/net/tun cannot be opened: no wires between kernel and memif ends',
      advice: 'modprobe tun; in a container, give it the device /dev/net/tun',
    }),
    yes('tun-offload', probe.tunVirtioHeader, 'checksums and TCP segmentation can be offloaded', {
      state: 'warning',
      found: 'no virtio-net header: TCP between kernel and memif ends is several times slower',
      advice: 'use a kernel with IFF_VNET_HDR',
    }),
    yes('udp-segmentation', probe.udpSegmentation, 'UDP segmentation can be offloaded', {
      state: 'note',
      found: 'no UDP segmentation offload: datagrams are sent one by one',
      advice: 'Linux 6.2 or newer has it',
    }),
    yes('memfd', probe.memfd, 'sealed shared memory for memif', {
      state: 'warning',
      found: 'no memfd_create: no memif ends in the role client',
      advice: 'use a kernel with CONFIG_MEMFD_CREATE; allow memfd_create in the seccomp profile',
    }),
    yes('abstract-sockets', probe.abstractSockets, 'can be opened in other network namespaces', {
      state: 'note',
      found: 'cannot be opened: no memif over @name',
      advice: 'use a socket path',
    }),
  ];
}

async function tunDevice(root: string): Promise<MachineFinding> {
  const there = await stat(join(root, 'dev/net/tun')).then(
    () => true,
    () => false,
  );
  if (there) return { check: 'tun', state: 'ok', found: '/dev/net/tun is there' };
  return {
    check: 'tun',
    state: 'warning',
    found: 'there is no /dev/net/tun',
    advice: 'modprobe tun; in a container, give it the device',
  };
}
