// SPDX-License-Identifier: Apache-2.0
// Which drop reasons can occur to frames that enter a wire at an end. Those are always shown, from zero on, so that
// rate() and increase() see the first drop; any other is shown once it has counted something.

import type { DropReason } from '../model/drop-reason.ts';
import type { EndName, Path, Payload } from '../model/wire.ts';
import type { Mechanism } from '../wire/wire.ts';

type MechanismType = Mechanism['type'];

const atIngress: Record<MechanismType, readonly DropReason[]> = {
  kernel: ['bad_checksum', 'bad_offload'], // what a virtio-net header can ask for
  memif: ['bad_desc', 'bad_index'], // what shared memory can hold
  vxlan: ['bad_checksum', 'bad_offload'],
  vlan: ['bad_checksum', 'bad_offload'],
  vfio: [],
  wireguard: ['bad_checksum', 'bad_offload'],
};
const atEgress: Record<MechanismType, readonly DropReason[]> = {
  kernel: ['io_error'],
  memif: [],
  vxlan: ['io_error'],
  vlan: ['io_error'],
  vfio: [],
  wireguard: ['io_error'],
};
const anywhere: readonly DropReason[] = ['tx_full', 'too_big', 'too_short', 'link_down'];

export interface DropSetting {
  readonly path: Path;
  readonly payload: Payload;
  readonly client: MechanismType;
  readonly endpoint: MechanismType;
}

export function possibleDrops({ path, payload, client, endpoint }: DropSetting, end: EndName): readonly DropReason[] {
  if (path === 'veth') return ['kernel_queue'];
  if (path === 'proxy') return [];
  if (path === 'nic') return (end === 'client' ? client : endpoint) === 'kernel' ? ['kernel_queue'] : [];
  if (path === 'tunnel' || path === 'vlan')
    return (end === 'client' ? client : endpoint) === 'kernel' ? ['kernel_queue', 'tunnel_error'] : ['tunnel_error'];
  const [from, to] = end === 'client' ? [client, endpoint] : [endpoint, client];
  const ofPayload: DropReason[] = payload === 'ip' ? ['bad_payload'] : [];
  return [...anywhere, ...atIngress[from], ...atEgress[to], ...ofPayload];
}
