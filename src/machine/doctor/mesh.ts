// SPDX-License-Identifier: Apache-2.0
// doctor: which mechanisms a forwarder of Network Service Mesh offers on this node, and why the others are not offered.

import type { MachineProbe, TunnelKind } from '../../dataplane/types.ts';
import type { MachineFinding } from '../../model/machine.ts';
import { kernelHas, type Presence } from '../kernel-modules.ts';
import type { Underlay } from '../underlay.ts';

export async function meshFindings(
  root: string,
  probe: MachineProbe | undefined,
  underlay: Underlay | undefined,
  sharesDevices: boolean,
): Promise<MachineFinding[]> {
  return [
    { check: 'nsm-kernel', state: 'ok', found: 'KERNEL is offered on this node' },
    memif(probe),
    await tunnel(tunnels.vxlan, root, probe, underlay),
    await tunnel(tunnels.wireguard, root, probe, underlay),
    devices(sharesDevices),
  ];
}

function devices(shared: boolean): MachineFinding {
  const check = 'nsm-vfio';
  if (shared)
    return { check, state: 'ok', found: 'VFIO, and KERNEL by virtual functions, are offered to clients with a token' };
  return {
    check,
    state: 'note',
    found: 'VFIO is not offered: no virtual functions are shared',
    advice: 'list the NICs whose virtual functions may be used in a file, and name the file in NSM_SRIOV_CONFIG_FILE',
  };
}

function memif(probe: MachineProbe | undefined): MachineFinding {
  const check = 'nsm-memif';
  if (!probe || (probe.memfd && probe.abstractSockets))
    return { check, state: 'ok', found: 'MEMIF is offered on this node' };
  const lacking = [probe.memfd ? '' : 'memfd', probe.abstractSockets ? '' : 'abstract-sockets'].filter(Boolean);
  return {
    check,
    state: 'warning',
    found: `MEMIF is offered, but such wires fail: see ${lacking.join(' and ')}`,
    advice: 'fix that, or offer KERNEL first: NSM_MECHANISM_PRIORITY=KERNEL',
  };
}

interface Tunnel {
  readonly check: string;
  readonly module: TunnelKind;
  readonly name: string;
  readonly carries: string;
}

const tunnels = {
  vxlan: { check: 'nsm-vxlan', module: 'vxlan', name: 'VXLAN', carries: 'ETHERNET' },
  wireguard: { check: 'nsm-wireguard', module: 'wireguard', name: 'WIREGUARD', carries: 'IP' },
} as const satisfies Record<string, Tunnel>;

async function tunnel(
  { check, module, name, carries }: Tunnel,
  root: string,
  probe: MachineProbe | undefined,
  underlay: Underlay | undefined,
): Promise<MachineFinding> {
  const refused = (reason: string, advice: string): MachineFinding => ({
    check,
    state: 'warning',
    found: `${name} is not offered: ${reason}`,
    advice,
  });
  const tried = probe?.tunnels[module];
  const there = tried === undefined ? await kernelHas(module, root, probe?.kernel) : triedOut(tried);
  const without = `until then, requests of payload ${carries} to other nodes are refused`;
  if (there === 'no')
    return refused('the kernel does not have it', `install the kernel's modules, and modprobe ${module}; ${without}`);
  if (!underlay) return refused('no interface has the tunnel address', 'set NSM_TUNNEL_IP to an address of this node');
  const { interface: device, address, mtu } = underlay;
  const from = `${name} is offered to other nodes for payload ${carries}, from ${address} on ${device} (MTU ${mtu})`;
  if (there === 'yes') return { check, state: 'ok', found: from };
  const advice = `modprobe ${module} on the host, so that it is certain`;
  return { check, state: 'note', found: `${from}; whether the kernel has it cannot be seen from here`, advice };
}

const triedOut = (there: boolean): Presence => (there ? 'yes' : 'no');
