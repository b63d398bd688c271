// SPDX-License-Identifier: Apache-2.0
// A forwarder in its mesh.

import { readFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import { parseDeviceSelectors } from '../options/device-selectors.ts';
import type { IdentityOptions, NsmOptions } from '../options/nsm-option-rows.ts';
import { parseWireList } from '../wire/wire-list.ts';
import type { NativeDataplane } from '../dataplane/dataplane.ts';
import { NativeUnixSockets } from '../dataplane/unix-sockets.ts';
import { HostDeviceFinder } from '../machine/host-devices.ts';
import { kernelHas } from '../machine/kernel-modules.ts';
import { isUdpPortFree } from '../machine/udp-ports.ts';
import { findUnderlay } from '../machine/underlay.ts';
import type { MeshMetrics } from '../metrics/mesh-metrics.ts';
import type { Wire } from '../wire/wire.ts';
import { Forwarder } from '../forwarder/forwarder.ts';
import { FileSource } from '../spiffe/file-source.ts';
import type { IdentitySource } from '../spiffe/identity.ts';
import { WorkloadSource } from '../spiffe/workload-source.ts';
import type { SharedDevices } from '../nsm/mechanisms/devices.ts';
import { startTracing } from '../grpc/tracing/start.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';
import type { Releases } from './process.ts';

export interface MeshParts {
  readonly dataplane: NativeDataplane;
  readonly supervisor: Supervisor;
  readonly metrics: MeshMetrics;
  readonly log: Logger;
  readonly releases: Releases;
  readonly version: string;
  readonly devices: SharedDevices | undefined;
}

/** Returns at once; what it waits for, an identity for one, it says in the log. */
export async function joinMesh(options: NsmOptions, parts: MeshParts): Promise<Forwarder> {
  const { dataplane, supervisor, metrics, log, releases, version, devices } = parts;
  const tunnel = await tunnelOf(options, parts);
  const gateways = await gatewaysOf(options, parts);
  const unixSockets = new NativeUnixSockets();
  releases.push(() => unixSockets.close());
  const forwarder = new Forwarder(options, {
    wires: supervisor,
    readWire: readSingleWire,
    listNamespaces: () => dataplane.listNamespaces(),
    isPortFree: isUdpPortFree,
    unixSockets,
    identity: identitySource(options, log),
    tunnel,
    gateways,
    tracing: await startTracing(telemetryOf(options, version, log)),
    metrics,
    devices,
    log,
  });
  releases.push(() => forwarder.stop());
  forwarder.start((error) => {
    log.fatal({ error }, 'the mesh cannot be served; kernel wires go on');
    process.kill(process.pid, 'SIGTERM');
  });
  return forwarder;
}

/** Networks behind devices of this node, where there is a file of them and the kernel can share devices. */
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

async function tunnelOf({ tunnelAddress, vxlanPort, wireguardPort }: NsmOptions, { dataplane, log }: MeshParts) {
  const hasVxlan = (await kernelHas('vxlan')) !== 'no';
  const { wireguard: hasWireguard } = await dataplane.probe();
  const underlay = hasVxlan || hasWireguard ? await findUnderlay(tunnelAddress) : undefined;
  if (!underlay) {
    const words = 'no tunnels from here: wires to other nodes are refused; crosswire doctor says more';
    log.warn({ address: tunnelAddress, hasVxlan, hasWireguard }, words);
    return undefined;
  }
  const { address, mtu } = underlay;
  return { address, mtu, ...(hasVxlan ? { vxlanPort } : {}), ...(hasWireguard ? { wireguardPort } : {}) };
}

function telemetryOf({ telemetry, telemetryEndpoint: endpoint, name }: NsmOptions, version: string, log: Logger) {
  if (!telemetry) return undefined;
  const onExport = (error: Error | undefined) => {
    if (error) log.warn({ error, endpoint }, 'the collector takes no traces; they are dropped until it does');
    else log.info({ endpoint }, 'the collector takes traces again');
  };
  return { endpoint, serviceName: name, version, onExport };
}

export function identitySource(options: IdentityOptions, log: Logger): IdentitySource {
  const { workloadApi: endpoint, certificateFile: certificate, keyFile: key, bundleFile: bundle } = options;
  const source = endpoint
    ? new WorkloadSource({ endpoint, log })
    : new FileSource({ files: { certificate, key, bundle }, log });
  source.start();
  return source;
}

async function readSingleWire(document: object): Promise<Wire> {
  const { wires, errors } = await parseWireList([document]);
  const [wire] = wires;
  if (wire && errors.length === 0) return wire;
  throw errors[0] ?? new Error('a wire document was read as nothing');
}
