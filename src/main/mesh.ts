// SPDX-License-Identifier: Apache-2.0
// The forwarder of a mesh.

import { readFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import { parseDeviceSelectors } from '../options/device-selectors.ts';
import type { NsmOptions } from '../options/nsm-option-rows.ts';
import { parseWireList } from '../wire/wire-list.ts';
import type { NativeDataplane } from '../dataplane/dataplane.ts';
import type { TunnelKind } from '../dataplane/types.ts';
import { NativeUnixSockets } from '../dataplane/unix-sockets.ts';
import { HostDeviceFinder } from '../machine/host-devices.ts';
import { kernelHas } from '../machine/kernel-modules.ts';
import { isUdpPortFree } from '../machine/udp-ports.ts';
import { findUnderlay } from '../machine/underlay.ts';
import type { MeshMetrics } from '../metrics/mesh-metrics.ts';
import type { Wire } from '../wire/wire.ts';
import type { WireDocument } from '../wire/wire-document.ts';
import { Forwarder } from '../forwarder/forwarder.ts';
import type { SharedDevices } from '../nsm/mechanisms/devices.ts';
import { startTracing } from '../grpc/tracing/start.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';
import { identitySource } from './identity.ts';
import type { Part } from './part.ts';

export interface MeshParts {
  readonly dataplane: NativeDataplane;
  readonly supervisor: Supervisor;
  readonly metrics: MeshMetrics;
  readonly log: Logger;
  readonly version: string;
  /** Undefined if no devices are shared. */
  readonly devices: SharedDevices | undefined;
}

export class Mesh implements Part {
  readonly #options: NsmOptions;
  readonly #parts: MeshParts;
  readonly #unixSockets = new NativeUnixSockets();
  #forwarder: Forwarder | undefined;

  constructor(options: NsmOptions, parts: MeshParts) {
    this.#options = options;
    this.#parts = parts;
  }

  /** Whether calls of the mesh are answered. */
  get serving(): boolean {
    return this.#forwarder?.serving ?? false;
  }

  /** Does not wait for the identity: the forwarder waits for it in the background and logs that. */
  async start(): Promise<void> {
    const [options, parts] = [this.#options, this.#parts];
    const { dataplane, supervisor, metrics, log, version, devices } = parts;
    const tunnel = await tunnelOf(options, parts);
    const gateways = await gatewaysOf(options, parts);
    this.#forwarder = new Forwarder(options, {
      wires: supervisor,
      readWire: readSingleWire,
      listNamespaces: () => dataplane.listNamespaces(),
      isPortFree: isUdpPortFree,
      unixSockets: this.#unixSockets,
      identity: identitySource(options, log),
      tunnel,
      gateways,
      tracing: await startTracing(telemetryOf(options, version, log)),
      metrics,
      devices,
      log,
    });
    this.#forwarder.start((error) => {
      log.fatal({ error }, 'the mesh cannot be served; kernel wires go on');
      process.kill(process.pid, 'SIGTERM');
    });
  }

  async stop(): Promise<void> {
    await this.#forwarder?.stop();
    await this.#unixSockets.close();
  }
}

/** The gateways of the device selector file; undefined without a file, or if the kernel cannot share devices. */
async function gatewaysOf({ deviceSelectorFile: file }: NsmOptions, { dataplane, log }: MeshParts) {
  if (!file) return undefined;
  const gateways = parseDeviceSelectors(await readFile(file, 'utf8'), file);
  const known = await Promise.all(['macvlan', '8021q'].map(async (one) => ({ one, there: await kernelHas(one) })));
  const lacking = known.filter(({ there }) => there === 'no').map(({ one }) => one);
  if (lacking.length > 0) {
    log.warn({ lacking }, 'the kernel lacks what VLAN needs: it is not offered');
    return undefined;
  }
  const devices = new HostDeviceFinder(dataplane);
  return { deviceOf: (via: string) => gateways.get(via), mtuOf: (device: string) => devices.mtuOf(device) };
}

async function tunnelOf({ tunnelAddress, tunnelPorts }: NsmOptions, { dataplane, log }: MeshParts) {
  const ports = await portsOf(tunnelPorts, dataplane);
  const underlay = Object.keys(ports).length > 0 ? await findUnderlay(tunnelAddress) : undefined;
  if (!underlay) {
    const words = 'no tunnels from here: wires to other nodes are refused; crosswire doctor says more';
    log.warn({ address: tunnelAddress, inKernel: Object.keys(ports) }, words);
    return undefined;
  }
  const { address, mtu } = underlay;
  return { address, mtu, ports };
}

/** The UDP ports of the tunnels that the kernel supports. */
async function portsOf(all: NsmOptions['tunnelPorts'], dataplane: MeshParts['dataplane']) {
  const { tunnels } = await dataplane.probe();
  const inKernel = async (type: TunnelKind) => tunnels[type] ?? (await kernelHas(type)) !== 'no';
  const there = await Promise.all(
    Object.entries(all).map(async ([type, port]) => ((await inKernel(type as TunnelKind)) ? [[type, port]] : [])),
  );
  return Object.fromEntries(there.flat()) as typeof all;
}

function telemetryOf({ telemetry, telemetryEndpoint: endpoint, name }: NsmOptions, version: string, log: Logger) {
  if (!telemetry) return undefined;
  const onExport = (error: Error | undefined) => {
    if (error) log.warn({ error, endpoint }, 'the collector takes no traces; they are dropped until it does');
    else log.info({ endpoint }, 'the collector takes traces again');
  };
  return { endpoint, serviceName: name, version, onExport };
}

async function readSingleWire(document: WireDocument): Promise<Wire> {
  const { wires, errors } = await parseWireList([document]);
  const [wire] = wires;
  if (wire && errors.length === 0) return wire;
  throw errors[0] ?? new Error('a wire document was read as nothing');
}
