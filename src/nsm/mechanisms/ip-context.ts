// SPDX-License-Identifier: Apache-2.0
// Translates the IP context of a connection to the configuration of a kernel end. The client's interface has the src half, the
// endpoint's the dst half (sdk-kernel, pkg/kernel/networkservice/connectioncontextkernel).

import type { ConnectionContext } from '../generated/connectioncontext.ts';
import { addressOf, hostNetworkOf, liesWithin, masked, sameFamily } from './prefixes.ts';

export interface RouteDocument {
  readonly to: string;
  readonly via?: string;
}

export interface Half {
  readonly addresses: readonly string[];
  readonly otherAddresses: readonly string[];
  readonly routes: readonly { readonly prefix: string; readonly nextHop: string }[];
}

export function halfOf(context: ConnectionContext | undefined, end: 'client' | 'endpoint'): Half {
  const { srcIpAddrs = [], dstIpAddrs = [], srcRoutes = [], dstRoutes = [] } = context?.ipContext ?? {};
  return end === 'client'
    ? { addresses: srcIpAddrs, otherAddresses: dstIpAddrs, routes: srcRoutes }
    : { addresses: dstIpAddrs, otherAddresses: srcIpAddrs, routes: dstRoutes };
}

/** The requested routes, and routes to the other side's addresses and to gateways that are in none of the own networks. */
export function routesOf({ addresses, otherAddresses, routes }: Half): RouteDocument[] {
  const asked = routes.map(({ prefix, nextHop }): RouteDocument => {
    const to = masked(prefix);
    const via = nextHop ? addressOf(nextHop) : gatewayTo(to, otherAddresses);
    return via === undefined || hostNetworkOf(via) === to ? { to } : { to, via };
  });
  const gateways = asked.flatMap(({ via }) => via ?? []);
  const onLink = [...otherAddresses, ...gateways]
    .filter((address) => !liesWithin(address, addresses))
    .map((address): RouteDocument => ({ to: hostNetworkOf(address) }));
  const each = new Map([...asked, ...onLink].map((route) => [route.to, route]));
  // A gateway must be reachable before a route leads through it.
  return [...each.values()].toSorted((a, b) => Number(a.via !== undefined) - Number(b.via !== undefined));
}

/** The first address of the other side in the same family, unless the network is one of the other side's own. */
function gatewayTo(network: string, otherAddresses: readonly string[]): string | undefined {
  if (liesWithin(network, otherAddresses)) return undefined;
  const other = otherAddresses.find((address) => sameFamily(address, network));
  return other && addressOf(other);
}

export interface NeighbourDocument {
  readonly address: string;
  readonly mac: string;
}

export function neighboursOf(context: ConnectionContext | undefined, own: readonly string[]): NeighbourDocument[] {
  const mine = new Set(own.map(addressOf));
  const neighbours = (context?.ipContext?.ipNeighbors ?? []).map(({ ip, hardwareAddress }) => ({
    address: addressOf(ip),
    mac: hardwareAddress,
  }));
  return [...new Map(neighbours.map((one) => [one.address, one])).values()].filter(({ address }) => !mine.has(address));
}

export interface PolicyDocument {
  readonly from?: string;
  readonly protocol?: number;
  readonly destinationPorts?: string;
  readonly sourcePorts?: string;
  readonly routes: readonly RouteDocument[];
}

/** Policies exist on the client's side only. A policy without routes sends all IPv4 packets into the wire. */
export function policiesOf(context: ConnectionContext | undefined, half: Half): PolicyDocument[] {
  const policies = (context?.ipContext?.policies ?? []).map(
    ({ from, proto, dstPort, srcPort, routes }): PolicyDocument => ({
      ...(from ? { from: masked(from) } : {}),
      ...(proto ? { protocol: Number(proto) } : {}),
      ...(dstPort ? { destinationPorts: dstPort } : {}),
      ...(srcPort ? { sourcePorts: srcPort } : {}),
      routes: routes.length > 0 ? routesOf({ ...half, otherAddresses: [], routes }) : [{ to: '0.0.0.0/0' }],
    }),
  );
  const keyOf = (policy: PolicyDocument) => JSON.stringify({ ...policy, routes: [] });
  return [...new Map(policies.map((policy) => [keyOf(policy), policy])).values()];
}
