// SPDX-License-Identifier: Apache-2.0
// The real parts of a forwarder in the test's own process: under emulation a separate daemon takes long to start.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseWireList } from '../../../src/wire/wire-list.ts';
import { NativeDataplane } from '../../../src/dataplane/dataplane.ts';
import type { Lender } from '../../../src/machine/sriov/lender.ts';
import { type DevicesSettings, openDevices } from '../../../src/machine/sriov/open.ts';
import type { PhysicalFunctionSettings } from '../../../src/model/device-status.ts';
import type { ApplyReport } from '../../../src/model/status.ts';
import { partsFor, type SupervisorParts } from '../../../src/supervisor/parts.ts';
import { Supervisor } from '../../../src/supervisor/supervisor.ts';
import { eventually } from '../../support/shell.ts';
import { bringUp } from './links.ts';

export const nics = ['0000:01:00.0', '0000:02:00.0'] as const;
const folder = (pci: string) => `/sys/bus/pci/devices/${pci}`;

export const allowed: readonly PhysicalFunctionSettings[] = nics.map((pci, at) => ({
  pci,
  pfKernelDriver: 'igb',
  vfKernelDriver: 'igbvf',
  capabilities: [`nic${at}`],
  serviceDomains: ['lab'],
}));

export const netdevOf = (pci: string): string => readdirSync(`${folder(pci)}/net`)[0] as string;
export const driverOf = (pci: string): string | undefined =>
  existsSync(`${folder(pci)}/driver`) ? basename(readlinkSync(`${folder(pci)}/driver`)) : undefined;

/** Makes functions on each NIC, bound to igbvf. The driver makes up their MACs, which is the harder case to restore. */
export async function makeFunctions(onFirst: number, onSecond = onFirst): Promise<void> {
  for (const [pci, count] of [[nics[0], onFirst] as const, [nics[1], onSecond] as const]) {
    await bringUp(netdevOf(pci)); // a function has no carrier before its physical function has one
    if (readFileSync(`${folder(pci)}/sriov_numvfs`, 'utf8').trim() === String(count)) continue;
    writeFileSync(`${folder(pci)}/sriov_numvfs`, '0');
    writeFileSync(`${folder(pci)}/sriov_numvfs`, String(count));
    await eventually('the NIC knows its functions', async () => knowsMacs(pci), 300).catch(() => {});
  }
}

/** Whether the NIC knows the MACs of its functions. igbvf tells its physical function which MAC it made up, on a busy machine
 *  some time after it was bound; until then a snapshot would have none. */
function knowsMacs(pf: string): boolean {
  const [told] = JSON.parse(execFileSync('ip', ['-j', 'link', 'show', netdevOf(pf)], { encoding: 'utf8' }));
  return ((told.vfinfo_list ?? []) as { vf: number; address: string }[]).every(({ vf, address }) => {
    const net = `${folder(pf)}/virtfn${vf}/net`;
    const [name] = existsSync(net) ? readdirSync(net) : [];
    return name !== undefined && readFileSync(`${net}/${name}/address`, 'utf8').trim() === address;
  });
}

export interface ForwarderSettings {
  readonly stateDirectory?: string;
  readonly withFile?: boolean;
  readonly parts?: (settings: DevicesSettings) => Partial<DevicesSettings>;
  readonly dataplane?: (one: NativeDataplane) => NativeDataplane;
  readonly supervisorParts?: (parts: SupervisorParts) => SupervisorParts;
}

export class Forwarder {
  readonly supervisor: Supervisor;
  readonly dataplane: NativeDataplane;
  readonly lender: Lender;
  readonly stateDirectory: string;
  readonly log: string[] = [];
  readonly #parts: SupervisorParts;

  private constructor(stateDirectory: string, settings: ForwarderSettings) {
    const native = new NativeDataplane();
    this.dataplane = settings.dataplane?.(native) ?? native;
    this.stateDirectory = stateDirectory;
    const base = { dataplane: this.dataplane, stateDirectory, allowed: settings.withFile ? allowed : undefined };
    this.lender = openDevices({ ...base, ...settings.parts?.(base) }).lender;
    const say = (fields: object, message: string) => void this.log.push(`${message} ${JSON.stringify(fields)}`);
    const log = { info: say, warn: say, error: say };
    const { dataplane, lender: devices } = this;
    const more = { node: 'lab', log, resyncSeconds: 2, retrySeconds: { first: 1, longest: 2 } };
    this.#parts = partsFor(stateDirectory);
    const parts = settings.supervisorParts?.(this.#parts) ?? this.#parts;
    this.supervisor = new Supervisor({ dataplane, devices, stateDirectory, ...more }, parts);
  }

  static async start(settings: ForwarderSettings = {}): Promise<Forwarder> {
    const stateDirectory = settings.stateDirectory ?? (await mkdtemp(join(tmpdir(), 'crosswire-sriov-')));
    const forwarder = new Forwarder(stateDirectory, settings);
    await forwarder.dataplane.start({ workers: 1 });
    await forwarder.supervisor.start();
    return forwarder;
  }

  async apply(...documents: readonly object[]): Promise<ApplyReport[]> {
    const { wires, errors } = await parseWireList(documents);
    if (errors[0]) throw errors[0];
    return this.supervisor.set('api', wires);
  }

  /** Applies the documents; throws the error of a wire's report. */
  async mustApply(...documents: readonly object[]): Promise<ApplyReport[]> {
    const reports = await this.apply(...documents);
    const failed = reports.find(({ error }) => error);
    if (failed) throw new Error(JSON.stringify(failed));
    return reports;
  }

  async stop(removeWires = true): Promise<void> {
    await this.supervisor.stop({ removeWires });
    await this.dataplane.close();
  }

  /** Does what the kernel does when a process is killed. The caller must prevent everything that the forwarder would still do. */
  async killed(): Promise<void> {
    this.#parts.lock.release();
    await this.dataplane.close();
  }

  /** Everything that giving back must restore, for every function; and that no lease is left. */
  async snapshot(): Promise<object> {
    const leases = await readdir(join(this.stateDirectory, 'leases')).catch(() => []);
    const functions = nics.map((nic) => functionsOf(this.dataplane, nic));
    return {
      leases: leases.filter((name) => name.endsWith('.json')),
      functions: (await Promise.all(functions)).flat(),
    };
  }
}

async function functionsOf(dataplane: NativeDataplane, nic: string): Promise<object[]> {
  const told = await dataplane.readVirtualFunctions('', netdevOf(nic));
  return Promise.all(
    told.map(async ({ statistics: _statistics, ...one }) => {
      const pci = basename(readlinkSync(`${folder(nic)}/virtfn${one.index}`));
      const name = existsSync(`${folder(pci)}/net`) ? readdirSync(`${folder(pci)}/net`)[0] : undefined;
      const override = readFileSync(`${folder(pci)}/driver_override`, 'utf8').trim();
      const [info] = name ? await dataplane.listInterfaces({ netns: '', names: [name] }) : [];
      const { alias, mac, mtu, up } = info ?? {};
      return { pci, driver: driverOf(pci), override, told: one, interface: { name, alias, mac, mtu, up } };
    }),
  );
}

export function wire(name: string, client: object, endpoint: object, more: object = {}): object {
  const spec = { client, endpoint, ...more };
  return { apiVersion: 'crosswire.dev/v1alpha1', kind: 'Wire', metadata: { name }, spec };
}
