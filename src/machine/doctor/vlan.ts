// SPDX-License-Identifier: Apache-2.0
// doctor: whether wires can use a host device (mechanism vlan).

import type { MachineFinding } from '../../model/machine.ts';
import { kernelHas } from '../kernel-modules.ts';

export async function vlanFinding(root: string, kernel: string | undefined): Promise<MachineFinding> {
  const check = 'vlan';
  const [macvlan, vlan] = await Promise.all(['macvlan', '8021q'].map((module) => kernelHas(module, root, kernel)));
  const advice = 'install the modules of the kernel: modprobe macvlan 8021q';
  if (macvlan === 'no')
    return { check, state: 'note', found: 'the kernel has no macvlan: wires cannot use a host device', advice };
  if (vlan === 'no')
    return {
      check,
      state: 'note',
      found: 'the kernel has no VLAN devices: wires can use a host device with id 0 only',
      advice,
    };
  if (macvlan === 'yes' && vlan === 'yes')
    return { check, state: 'ok', found: 'wires can use a host device, in any VLAN' };
  const found = 'whether wires can use a host device, in a VLAN, cannot be seen from here';
  return { check, state: 'note', found, advice: 'modprobe macvlan 8021q on the host, so that it is certain' };
}
