// SPDX-License-Identifier: Apache-2.0
// The virtual functions of this machine, and who they are shared with.

import type { Logger } from 'pino';
import type { NsmOptions } from '../options/nsm-option-rows.ts';
import { controlGroupBelow } from '../machine/device-access/control-group.ts';
import { makeVirtualFunctions } from '../machine/sriov/numvfs.ts';
import type { OpenDevices } from '../machine/sriov/open.ts';
import { chooseDevice } from '../machine/sriov/pools.ts';
import type { Sysfs } from '../machine/sriov/sysfs.ts';
import { DevicePlugin } from '../kubernetes/device-plugin.ts';
import { TokenPool, type UsedDevice } from '../kubernetes/tokens.ts';
import type { PhysicalFunctionSettings } from '../model/device-status.ts';
import type { SharedDevices } from '../nsm/mechanisms/devices.ts';
import { tokenOf } from '../nsm/wire/wire-document.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';
import type { Releases } from './process.ts';

export interface SharingParts extends OpenDevices {
  readonly supervisor: Supervisor;
  readonly log: Logger;
  readonly releases: Releases;
}

/** A NIC that cannot have virtual functions keeps nothing else from being served. */
export async function makeDevices(
  sysfs: Sysfs,
  allowed: readonly PhysicalFunctionSettings[],
  log: Logger,
): Promise<void> {
  const { made, errors } = await makeVirtualFunctions(sysfs, allowed);
  for (const { pci, count } of made) log.info({ pci, count }, 'virtual functions made: there were none');
  for (const error of errors) log.warn({ error }, 'a NIC of the SR-IOV file cannot be used');
}

/** Until a device that was lent shows in what kubelet is told. */
const countMilliseconds = 500;

/** With kubelet, whose pods get tokens, and with the mesh, which they ask with them. */
export async function shareDevices(options: NsmOptions, parts: SharingParts): Promise<SharedDevices> {
  const { inventory, log, releases } = parts;
  const { physicalFunctions } = await inventory.read();
  const shared = physicalFunctions.filter(({ resources }) => resources.length > 0);
  const pool = new TokenPool(shared.map(({ present: virtualFunctions, ...one }) => ({ ...one, virtualFunctions })));
  const count = async () => pool.setUses(await usedDevices(parts));
  await count(); // before anything is listed
  const timer = setInterval(
    () => void count().catch((error) => log.warn({ error }, 'devices not counted')),
    countMilliseconds,
  );
  const plugin = new DevicePlugin({
    pool,
    directory: options.devicePluginDirectory,
    podResourcesSocket: `${options.podResourcesDirectory}/kubelet.sock`,
    pollMilliseconds: options.resourcePollMilliseconds,
    log,
  });
  releases.push(
    () => plugin.close(),
    () => clearInterval(timer),
  );
  void plugin.start();
  return {
    resourceOf: (token) => pool.resourceOf(token),
    controlGroupOf: (directory) => controlGroupBelow(options.controlGroupDirectory, directory),
    portFor: async (resource, mode) => {
      const report = await inventory.read();
      const { physicalFunction } = chooseDevice(report, { resource }, mode);
      const port = report.physicalFunctions.find(({ pci }) => pci === physicalFunction);
      return port?.interface ?? '';
    },
  };
}

/** Asked for twice a second: no reading of all there is, which would ask the driver of every NIC. */
async function usedDevices({ sysfs, lender, supervisor }: SharingParts): Promise<UsedDevice[]> {
  const used = (await lender.holders()).map(async ({ pci, wire, end }): Promise<UsedDevice[]> => {
    const physicalFunction = await sysfs.physicalFunctionOf(pci);
    const spec = supervisor.get(wire)?.spec;
    const token = spec && tokenOf(spec, end);
    return physicalFunction === undefined ? [] : [{ pci, physicalFunction, ...(token ? { token } : {}) }];
  });
  return (await Promise.all(used)).flat();
}
