// SPDX-License-Identifier: Apache-2.0
// doctor: the mechanisms that a forwarder of Network Service Mesh offers on this node, and why one is not.

import type { MachineProbe } from '../dataplane/types.ts';
import type { MachineFinding } from '../model/machine.ts';
import { kernelHas } from './kernel-modules.ts';
import type { Underlay } from './underlay.ts';

export async function meshFindings(
  root: string,
  probe: MachineProbe | undefined,
  underlay: Underlay | undefined,
  sharesDevices: boolean,
): Promise<MachineFinding[]> {
  return [
    { check: 'nsm-kernel', state: 'ok', found: 'KERNEL is offered on this node' },
    memif(probe),
    await vxlan(root, probe, underlay),
    await wireguard(root, probe),
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
    advice: 'name the NICs that share theirs in a file, and the file in NSM_SRIOV_CONFIG_FILE',
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
    advice: 'mend that, or put KERNEL first: NSM_MECHANISM_PRIORITY=KERNEL',
  };
}

async function vxlan(
  root: string,
  probe: MachineProbe | undefined,
  underlay: Underlay | undefined,
): Promise<MachineFinding> {
  const check = 'nsm-vxlan';
  const refused = (reason: string, advice: string): MachineFinding => ({
    check,
    state: 'warning',
    found: `VXLAN is not offered: ${reason}`,
    advice,
  });
  const there = await kernelHas('vxlan', root, probe?.kernel);
  if (there === 'no') return refused('the kernel has none', 'install its modules, and modprobe vxlan');
  if (!underlay)
    return refused('no interface here has the tunnel address', 'set NSM_TUNNEL_IP to an address of this node');
  const { interface: name, address, mtu } = underlay;
  const from = `VXLAN is offered to other nodes for payload ETHERNET, from ${address} on ${name} (MTU ${mtu})`;
  if (there === 'yes') return { check, state: 'ok', found: from };
  const advice = 'modprobe vxlan on the host, so that it is certain';
  return { check, state: 'note', found: `${from}; whether the kernel has it cannot be seen from here`, advice };
}

async function wireguard(root: string, probe: MachineProbe | undefined): Promise<MachineFinding> {
  const there = await kernelHas('wireguard', root, probe?.kernel);
  const kernel = { yes: 'the kernel has it', no: 'the kernel has none', unknown: 'the kernel has not loaded it' }[
    there
  ];
  return {
    check: 'nsm-wireguard',
    state: 'note',
    found: `WIREGUARD is not offered: wires to other nodes carry payload ETHERNET only (${kernel})`,
    advice: 'give network services that span nodes the payload ETHERNET',
  };
}
