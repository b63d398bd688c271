// SPDX-License-Identifier: Apache-2.0
// A connection, with what was agreed on both of its sides, as the document of a wire: the same words as in a wire file,
// and checked by the same rules.

import type { WireStatus } from '../../wire/status.ts';
import { type EndName, otherEnd } from '../../model/wire.ts';
import type { Wire } from '../../wire/wire.ts';
import type { Connection, Mechanism } from '../generated/connection.ts';
import {
  controlGroupFor,
  endsInDevice,
  isCarriedByNic,
  resourceFor,
  type SharedDevices,
} from '../mechanisms/devices.ts';
import type { Uplink } from '../mechanisms/gateways.ts';
import { parseInodeUrl } from '../inode-url.ts';
import type { WireguardSide } from '../mechanisms/wireguard.ts';
import { label, mechanismType, parameter, payload } from '../names.ts';
import { clientOf, nextSegment } from '../path/path-segments.ts';
import { halfOf, neighboursOf, policiesOf, routesOf } from './kernel-end.ts';

export interface Agreement {
  /** Of the wire. */
  readonly name: string;
  /** With the context that the endpoint answered, and our own id. */
  readonly connection: Connection;
  /** Towards the client, and towards the endpoint. */
  readonly client: Mechanism;
  readonly endpoint: Mechanism;
  /** Our side of the tunnel, where one of the mechanisms is WireGuard. */
  readonly wireguard?: WireguardSide | undefined;
  /** memif at both ends: through the engine, counted; otherwise the two applications share the memory. */
  readonly memifViaEngine: boolean;
  /** Where the namespace of an inode url can be opened now. */
  readonly pathOf: (inodeUrl: string) => string | undefined;
  readonly devices?: SharedDevices | undefined;
  /** Of the NIC behind which an endpoint with a device of its own is. */
  readonly port?: string | undefined;
  /** Of an endpoint that answered VLAN. */
  readonly uplink?: Uplink | undefined;
}

/** Beside those of the connection. The journal keeps them, for the next run to know whose wire it is. */
const ownLabel = { connection: 'nsm/connection', client: 'nsm/client', next: 'nsm/next' } as const;
const tokenLabel = { client: 'nsm/token.client', endpoint: 'nsm/token.endpoint' } as const;

/** By which kubelet gave the device of an end to a pod. */
export function tokenOf(wire: Wire, end: EndName): string | undefined {
  return wire.labels[tokenLabel[end]];
}

/** The SPIFFE ID that the wire was made for. */
export function clientOfWire(wire: WireStatus | undefined): string | undefined {
  return wire?.spec.labels[ownLabel.client] || undefined;
}

/** Whether the path leads on to the segment that it led to when the wire was made. */
export function isNextOfWire({ spec }: WireStatus, connection: Connection): boolean {
  const next = nextSegment(connection)?.id;
  return next !== undefined && next === spec.labels[ownLabel.next];
}

export function wireDocumentOf(agreement: Agreement): object {
  const { name, connection, client, endpoint, memifViaEngine } = agreement;
  const { labels, networkService, networkServiceEndpointName, context } = connection;
  const bothMemif = client.type === mechanismType.memif && endpoint.type === mechanismType.memif;
  return {
    apiVersion: 'crosswire.dev/v1alpha1',
    kind: 'Wire',
    metadata: {
      name,
      labels: {
        ...labels,
        [ownLabel.connection]: connection.id,
        [ownLabel.client]: clientOf(connection),
        [ownLabel.next]: nextSegment(connection)?.id ?? '',
        ...labelOfToken('client', client),
        ...labelOfToken('endpoint', endpoint),
      },
    },
    spec: {
      ...(networkService ? { networkService } : {}),
      payload: connection.payload === payload.ethernet ? 'ethernet' : 'ip',
      ...(context?.MTU ? { mtu: context.MTU } : {}),
      ...(bothMemif && !memifViaEngine ? { direct: true } : {}),
      client: { ...endOf(agreement, 'client'), ...podOf(labels) },
      endpoint: {
        ...endOf(agreement, 'endpoint'),
        ...(networkServiceEndpointName ? { pod: networkServiceEndpointName } : {}),
      },
    },
  };
}

function podOf(labels: Connection['labels']): { pod?: string; namespace?: string } {
  const [pod, namespace] = [labels[label.pod], labels['namespace']];
  return { ...(pod ? { pod } : {}), ...(namespace ? { namespace } : {}) };
}

function labelOfToken(end: EndName, mechanism: Mechanism): object {
  return endsInDevice(mechanism) ? { [tokenLabel[end]]: mechanism.parameters[parameter.tokenId] } : {};
}

function endOf(agreement: Agreement, end: EndName): object {
  const { connection, pathOf, devices, port, wireguard, [end]: mechanism } = agreement;
  const { type, parameters } = mechanism;
  switch (type) {
    case mechanismType.kernel: {
      const device = endsInDevice(mechanism) ? { device: { resource: resourceFor(devices, mechanism) } } : {};
      return { kernel: { ...namespaceOf(parameters, pathOf), ...kernelEnd(connection, end, parameters), ...device } };
    }
    case mechanismType.memif:
      return {
        memif: {
          ...namespaceOf(parameters, pathOf),
          socket: parameters[parameter.socketFile],
          role: end === 'client' ? 'server' : 'client',
          ...(deliversByMac(agreement[otherEnd(end)]) ? macOf(connection, end) : {}),
        },
      };
    case mechanismType.vfio: {
      const device = { resource: resourceFor(devices, mechanism) };
      return { vfio: { device, cgroup: controlGroupFor(devices, mechanism), ...macOf(connection, end) } };
    }
    case mechanismType.noop:
      return { vlan: { device: port, id: connection.context?.ethernetContext?.vlanTag ?? 0 } };
    case mechanismType.vlan:
      return { vlan: { device: agreement.uplink?.device, id: agreement.uplink?.id } };
    case mechanismType.vxlan:
      return { vxlan: tunnelEnd(end, parameters) };
    case mechanismType.wireguard:
      return { wireguard: wireguardEnd(end, parameters, wireguard) };
    default:
      throw new Error(`mechanism ${type} was agreed on without being offered`);
  }
}

/** What is opposite hands on only what names the MAC address of the context. */
function deliversByMac(opposite: Mechanism): boolean {
  return isCarriedByNic(opposite) || opposite.type === mechanismType.vlan;
}

function macOf({ context, payload: carried }: Connection, end: EndName): { mac?: string } {
  const ethernet = context?.ethernetContext;
  const mac = end === 'client' ? ethernet?.srcMac : ethernet?.dstMac;
  return mac && carried === payload.ethernet ? { mac } : {};
}

function kernelEnd(connection: Connection, end: EndName, parameters: Mechanism['parameters']): object {
  const { context } = connection;
  const half = halfOf(context, end);
  return {
    interface: parameters[parameter.interfaceName],
    ...macOf(connection, end),
    addresses: [...new Set(half.addresses)],
    routes: routesOf(half),
    neighbours: neighboursOf(context, half.addresses),
    ...(end === 'client' ? { policies: policiesOf(context, half) } : {}),
    allowPing: true,
  };
}

function namespaceOf(parameters: Mechanism['parameters'], pathOf: Agreement['pathOf']): object {
  const url = parameters[parameter.inodeUrl] ?? '';
  const [file, netns] = [parseInodeUrl(url), pathOf(url)];
  return { ...(file ? { inode: file.inode } : {}), ...(netns ? { netns } : {}) };
}

/** The caller of a Request is the source of the tunnel: towards the endpoint that is us. */
function tunnelEnd(end: EndName, parameters: Mechanism['parameters']): object {
  const [source, destination] = [parameters[parameter.sourceAddress], parameters[parameter.destinationAddress]];
  const [local, remote] = end === 'endpoint' ? [source, destination] : [destination, source];
  const port = parameters[end === 'endpoint' ? parameter.sourcePort : parameter.destinationPort];
  return { local, remote, port: Number(port), vni: Number(parameters[parameter.vni]) };
}

function wireguardEnd(end: EndName, parameters: Mechanism['parameters'], own: WireguardSide | undefined): object {
  const [address, port, key] =
    end === 'endpoint'
      ? [parameter.destinationAddress, parameter.destinationPort, parameter.destinationPublicKey]
      : [parameter.sourceAddress, parameter.sourcePort, parameter.sourcePublicKey];
  return {
    localPort: own?.port,
    remote: parameters[address],
    remotePort: Number(parameters[port]),
    privateKey: own?.privateKey,
    publicKey: parameters[key],
  };
}
