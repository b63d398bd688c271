// SPDX-License-Identifier: Apache-2.0
// Finds host devices: interfaces in the forwarder's network namespace that ends of mechanism vlan use.

import type { Dataplane } from '../dataplane/types.ts';
import { CrosswireError } from '../model/error.ts';

/** Only the loopback device has a larger MTU (65536). */
const mostMtu = 65_535;

export class HostDeviceFinder {
  readonly #dataplane: Pick<Dataplane, 'listInterfaces'>;

  constructor(dataplane: Pick<Dataplane, 'listInterfaces'>) {
    this.#dataplane = dataplane;
  }

  /** The MTU of the device: the longest IP packet, in bytes. Rejects with HOST_DEVICE_MISSING. */
  async mtuOf(device: string): Promise<number> {
    const [info] = await this.#dataplane.listInterfaces({ netns: '', names: [device], details: false });
    if (info) return Math.min(info.mtu, mostMtu);
    throw new CrosswireError({
      code: 'HOST_DEVICE_MISSING',
      operation: 'find the host device',
      subject: device,
      reason: 'there is no device of this name where the forwarder runs',
      hint: '`ip link` lists those that there are',
    });
  }
}
