// SPDX-License-Identifier: Apache-2.0
// Offers the virtual functions of this machine to kubelet, which gives tokens to pods, and to the mesh, which accepts the tokens.

import type { Logger } from 'pino';
import { DevicePlugin } from '../kubernetes/device-plugin.ts';
import { TokenPool, type UsedDevice } from '../kubernetes/tokens.ts';
import { controlGroupBelow } from '../machine/device-access/control-group.ts';
import type { OpenDevices } from '../machine/sriov/open.ts';
import { chooseDevice } from '../machine/sriov/pools.ts';
import type { SharedDevices } from '../nsm/mechanisms/devices.ts';
import { tokenOf } from '../nsm/wire/wire-document.ts';
import type { NsmOptions } from '../options/nsm-option-rows.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';
import type { Part } from './part.ts';

export interface SharingParts extends OpenDevices {
  readonly supervisor: Supervisor;
  readonly log: Logger;
}

/** How often the leased devices are counted for kubelet. */
const countMilliseconds = 500;

export class DeviceSharing implements Part {
  readonly #options: NsmOptions;
  readonly #parts: SharingParts;
  #pool = new TokenPool([]);
  #timer: NodeJS.Timeout | undefined;
  #plugin: DevicePlugin | undefined;

  constructor(options: NsmOptions, parts: SharingParts) {
    this.#options = options;
    this.#parts = parts;
  }

  /** The devices for the mesh; available once this part has started. */
  get shared(): SharedDevices {
    const { inventory } = this.#parts;
    return {
      resourceOf: (token) => this.#pool.resourceOf(token),
      controlGroupOf: (directory) => controlGroupBelow(this.#options.controlGroupDirectory, directory),
      portFor: async (resource, mode) => {
        const report = await inventory.read();
        const { physicalFunction } = chooseDevice(report, { resource }, mode);
        const port = report.physicalFunctions.find(({ pci }) => pci === physicalFunction);
        return port?.interface ?? '';
      },
    };
  }

  async start(): Promise<void> {
    const { inventory, log } = this.#parts;
    const { devicePluginDirectory, podResourcesDirectory, resourcePollMilliseconds } = this.#options;
    const { physicalFunctions } = await inventory.read();
    const offered = physicalFunctions.filter(({ resources }) => resources.length > 0);
    this.#pool = new TokenPool(offered.map(({ present: virtualFunctions, ...one }) => ({ ...one, virtualFunctions })));
    await this.#count(); // before the devices are listed
    this.#timer = setInterval(
      () => void this.#count().catch((error: unknown) => log.warn({ error }, 'devices not counted')),
      countMilliseconds,
    );
    this.#plugin = new DevicePlugin({
      pool: this.#pool,
      directory: devicePluginDirectory,
      podResourcesSocket: `${podResourcesDirectory}/kubelet.sock`,
      pollMilliseconds: resourcePollMilliseconds,
      log,
    });
    // Not awaited: kubelet may be absent or slow.
    this.#plugin.start().catch((error: unknown) => log.error({ error }, 'devices are not offered to kubelet'));
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#plugin?.close();
  }

  async #count(): Promise<void> {
    this.#pool.setUses(await usedDevices(this.#parts));
  }
}

/** Reads the leases only, because it is called twice a second; reading the inventory would query the driver of every NIC. */
async function usedDevices({ sysfs, lender, supervisor }: SharingParts): Promise<UsedDevice[]> {
  const used = (await lender.holders()).map(async ({ pci, wire, end }): Promise<UsedDevice[]> => {
    const physicalFunction = await sysfs.physicalFunctionOf(pci);
    const spec = supervisor.get(wire)?.spec;
    const token = spec && tokenOf(spec, end);
    return physicalFunction === undefined ? [] : [{ pci, physicalFunction, ...(token ? { token } : {}) }];
  });
  return (await Promise.all(used)).flat();
}
