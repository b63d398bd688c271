// SPDX-License-Identifier: Apache-2.0
// Chooses devices for the ends of wires, one wire after the other, so that no wire chooses a device that another is about
// to claim.

import type { Devices, DeviceWant, DeviceWants } from '../../machine/sriov/devices.ts';
import { CrosswireError } from '../../model/error.ts';
import { type EndName, endNames } from '../../model/wire.ts';
import type { Claims } from '../../wire/claims.ts';
import { deviceOf, hasDevice, isReached, networkEndOf, type Wire } from '../../wire/wire.ts';
import type { ChosenDevices } from '../../plan/state.ts';
import type { ResolvedWire } from '../store/record.ts';

export class DeviceChooser {
  readonly #devices: Devices | undefined;
  readonly #claims: Claims;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(devices: Devices | undefined, claims: Claims) {
    this.#devices = devices;
    this.#claims = claims;
  }

  /** Passes the choice to `claim` before the next choice begins. If a wire cannot have a device, returns the reasons by wire. */
  async chooseAll<T>(
    asked: readonly ResolvedWire[],
    known: (wire: string) => ChosenDevices | undefined,
    claim: (complete: readonly ResolvedWire[]) => T,
  ): Promise<T | ReadonlyMap<string, unknown>> {
    if (!asked.some(({ wire }) => hasDevice(wire))) return claim(asked);
    const result = this.#turn.then(async () => {
      const renewed = new Set(asked.map(({ wire }) => wire.name));
      const chosen = new Set<string>();
      const complete: ResolvedWire[] = [];
      const refused = new Map<string, unknown>();
      for (const resolved of asked) {
        const { name } = resolved.wire;
        const isTaken = (pci: string) => chosen.has(pci) || this.#claims.isDeviceHeld(pci, renewed);
        try {
          const devices = await this.choose(resolved.wire, known(name), isTaken);
          for (const pci of Object.values(devices ?? {})) chosen.add(pci);
          complete.push(devices ? { ...resolved, devices } : resolved);
        } catch (error) {
          refused.set(name, error);
        }
      }
      return refused.size > 0 ? refused : claim(complete);
    });
    this.#turn = result.catch(() => {});
    return result;
  }

  /** Chooses for one wire, and claims nothing. */
  async choose(
    wire: Wire,
    known?: ChosenDevices,
    isTaken = (pci: string) => this.#claims.isDeviceHeld(pci, new Set([wire.name])),
  ): Promise<ChosenDevices | undefined> {
    if (!hasDevice(wire)) return undefined;
    if (!this.#devices)
      throw new CrosswireError({
        code: 'DEVICE_UNAVAILABLE',
        operation: 'choose the devices of the wire',
        subject: wire.name,
        reason: 'this forwarder lends no virtual functions',
      });
    return this.#devices.choose(wantsOf(wire, known), isTaken);
  }
}

function wantsOf(wire: Wire, known: ChosenDevices | undefined): DeviceWants {
  const wants = endNames.flatMap((end) => {
    const want = wantOf(wire, end, known?.[end]);
    return want ? [[end, want]] : [];
  });
  return Object.fromEntries(wants);
}

/** A memif end wants a device for its port. */
function wantOf(wire: Wire, end: EndName, known: string | undefined): DeviceWant | undefined {
  const network = networkEndOf(wire);
  if (network?.end === end) return undefined;
  const mode = isReached(wire[end], 'device') ? 'vfio' : 'kernel';
  const request = deviceOf(wire[end]);
  const port = network ? { port: network.device } : {};
  if (!request) return { choice: 'beside', mode, known };
  const choice = 'pci' in request ? { pci: request.pci } : { resource: request.resource };
  return { choice, mode, known, ...port };
}
