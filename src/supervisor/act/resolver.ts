// SPDX-License-Identifier: Apache-2.0
// Resolves what a wire refers to: namespaces, devices, a host device.

import type { Dataplane } from '../../dataplane/types.ts';
import type { HostDeviceFinder } from '../../machine/host-devices.ts';
import { isSame, type NamespaceFinder, nameOf } from '../../machine/namespaces.ts';
import { CrosswireError } from '../../model/error.ts';
import { endNames } from '../../model/wire.ts';
import type { ChosenDevices, Namespace } from '../../plan/state.ts';
import { hostDeviceOf, namespaceOf, portEndOf, type Wire } from '../../wire/wire.ts';
import type { ResolvedWire } from '../store/record.ts';
import type { DeviceChooser } from '../wanted/device-choice.ts';
import type { WireEntry } from '../wanted/entry.ts';

/** Find what a wire refers to. A survey has its own, which ask only once. */
export interface Finders {
  readonly finder: NamespaceFinder;
  readonly hostDevices: Pick<HostDeviceFinder, 'mtuOf'>;
}

/** What is already known of what a wire refers to. */
export interface Resolving {
  readonly before?: ResolvedWire | undefined;
  readonly finders?: Finders;
  readonly chosen?: ChosenDevices | undefined;
}

export interface ResolverParts extends Finders {
  readonly dataplane: Dataplane;
  readonly chooser: DeviceChooser;
}

export class Resolver {
  readonly #parts: ResolverParts;

  constructor(parts: ResolverParts) {
    this.#parts = parts;
  }

  /** The same namespaces and devices are meant as before, unless somebody asks anew: a pid may by now be another process.
   *  `chosen`: the devices that were claimed for it. */
  async resolve(wire: Wire, { before, finders = this.#parts, chosen }: Resolving = {}): Promise<ResolvedWire> {
    const [client, endpoint] = await this.#namespacesOf(wire, before, finders.finder);
    const engineNamespace = portEndOf(wire) && (await this.#parts.dataplane.engineNamespace());
    const devices = chosen ?? before?.devices ?? (await this.#parts.chooser.choose(wire));
    const shared = hostDeviceOf(wire);
    return {
      wire,
      namespaces: { client, endpoint },
      ...(engineNamespace ? { engineNamespace } : {}),
      ...(devices ? { devices } : {}),
      ...(shared === undefined ? {} : { deviceMtu: await finders.hostDevices.mtuOf(shared) }),
    };
  }

  #namespacesOf(wire: Wire, before: ResolvedWire | undefined, finder: NamespaceFinder) {
    return Promise.all(
      endNames.map(async (end) => {
        const reference = namespaceOf(wire[end]);
        if (!reference) return undefined;
        const known = before?.namespaces[end];
        const found = await finder.resolve(reference, known);
        if ('pid' in reference && known && !isSame(found, known)) {
          throw new CrosswireError({
            code: 'NAMESPACE_CHANGED',
            operation: 'find the network namespace again',
            subject: nameOf(reference),
            reason: 'the process is in another namespace than when the wire was applied, or is another process',
            hint: 'apply the wire again if it is meant',
          });
        }
        return found;
      }),
    );
  }

  /** A quick look: every namespace is where it was, and a host device is there and as long as it was. */
  async isInPlace({ wire, record }: WireEntry, { finder, hostDevices }: Finders = this.#parts): Promise<boolean> {
    const known = record ? placesOf(record).filter((one) => one !== undefined) : [];
    const shared = hostDeviceOf(wire);
    const mtu = shared === undefined ? undefined : await hostDevices.mtuOf(shared).catch(() => 0);
    const inPlace = await Promise.all(known.map((one) => finder.isStillAt(one)));
    return mtu === record?.deviceMtu && inPlace.every(Boolean);
  }
}

/** The namespaces of both ends, and that of the port. */
export function placesOf({
  namespaces: { client, endpoint },
  engineNamespace,
}: ResolvedWire): (Namespace | undefined)[] {
  return [client, endpoint, engineNamespace];
}
