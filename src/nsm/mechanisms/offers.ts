// SPDX-License-Identifier: Apache-2.0
// What we offer the next hop, in order of preference, and what we take from a caller.

import { CrosswireError } from '../../model/error.ts';
import type { Mechanism as WireMechanism } from '../../wire/wire.ts';
import type { Mechanism } from '../generated/connection.ts';
import { mechanismClass, mechanismType, parameter, payload } from '../names.ts';
import type { WireguardSide } from './wireguard.ts';

/** The near end of tunnels; absent: this node has none to offer. */
export interface TunnelSettings {
  readonly address: string;
  /** Absent: the kernel has no VXLAN. */
  readonly vxlanPort?: number;
  /** The first that may be used; absent: the kernel has no WireGuard. */
  readonly wireguardPort?: number;
  /** Of the IP packet on the underlay. */
  readonly mtu: number;
}

export interface Offering {
  readonly tunnel?: TunnelSettings;
  /** Virtual functions of NICs are shared out here. */
  readonly devices?: boolean;
  /** Networks behind devices of this node are known. */
  readonly gateways?: boolean;
  /** Types to move to the front, in this order. */
  readonly priority: readonly string[];
}

const { local, remote } = mechanismClass;

/** What an end at this node is already. */
export interface Known {
  readonly standing?: WireMechanism | undefined;
  /** Our side of a tunnel; there where wireguardLeads() says so. */
  readonly wireguard?: WireguardSide | undefined;
}

/** Ordered; local ones for a next hop on this node, remote ones otherwise. `standing` is the end
 *  that the wire has there already: an endpoint that is not told chooses another name for its interface (sdk,
 *  common/mechanisms/kernel/server.go), and another node another identifier. Fails where there are none: a next hop that
 *  is asked without could only refuse, and nobody would know why. */
export function offersFor(
  { tunnel, gateways, priority }: Offering,
  carried: string,
  nextHopUrl: string,
  { standing, wireguard }: Known = {},
): Mechanism[] {
  const uplinks = gateways && carried === payload.ethernet ? [vlanOffer] : [];
  const all = isOnThisNode(nextHopUrl)
    ? [{ cls: local, type: mechanismType.memif, parameters: { [parameter.inodeUrl]: '' } }, kernelOffer(standing)]
    : uplinks.length > 0 && !carrierOf(tunnel, carried)
      ? uplinks
      : [tunnelOffer(tunnelFor(tunnel, carried, nextHopUrl), standing, wireguard), ...uplinks];
  return inOrder(priority, all);
}

/** For a client whose frames a NIC switches: an endpoint that has a device of its own is preferred, as NSM's SR-IOV
 *  forwarder knows no other. */
export function deviceOffersFor({ priority }: Offering, nextHopUrl: string, standing?: WireMechanism): Mechanism[] {
  const noop = ownDeviceOffer(nextHopUrl);
  return inOrder(priority, isOnThisNode(nextHopUrl) ? [noop, kernelOffer(standing)] : [noop]);
}

/** To an endpoint with a device of its own, whose NIC carries the frames wherever the client's device is. */
export function ownDeviceOffer(nextHopUrl: string): Mechanism {
  return { cls: isOnThisNode(nextHopUrl) ? local : remote, type: mechanismType.noop, parameters: {} };
}

function isOnThisNode(nextHopUrl: string): boolean {
  return /^(unix|inode):/.test(nextHopUrl);
}

function inOrder(priority: readonly string[], offers: readonly Mechanism[]): Mechanism[] {
  const rank = ({ type }: Mechanism) => {
    const at = priority.findIndex((name) => name.toUpperCase() === type);
    return at < 0 ? priority.length : at;
  };
  return offers.toSorted((a, b) => rank(a) - rank(b));
}

function kernelOffer(standing?: WireMechanism): Mechanism {
  const parameters: Mechanism['parameters'] =
    standing?.type === 'kernel' ? { [parameter.interfaceName]: standing.interface } : {};
  return { cls: local, type: mechanismType.kernel, parameters };
}

/** Whether that next hop will be offered WireGuard. */
export function wireguardLeads({ tunnel }: Offering, carried: string, nextHopUrl: string): boolean {
  return !isOnThisNode(nextHopUrl) && carrierOf(tunnel, carried) === mechanismType.wireguard;
}

function carrierOf(tunnel: TunnelSettings | undefined, carried: string): string | undefined {
  if (carried === payload.ethernet) return tunnel?.vxlanPort === undefined ? undefined : mechanismType.vxlan;
  return tunnel?.wireguardPort === undefined ? undefined : mechanismType.wireguard;
}

function tunnelFor(tunnel: TunnelSettings | undefined, carried: string, nextHopUrl: string): TunnelSettings {
  const [reason, hint] =
    carried === payload.ethernet
      ? ['this node has no tunnels', noTunnelHint]
      : [`payload ${carried} needs WIREGUARD to another node, which this node does not offer`, ethernetHint];
  if (tunnel && carrierOf(tunnel, carried)) return tunnel;
  throw new CrosswireError({
    code: 'MECHANISM_UNSUPPORTED',
    operation: 'offer the next hop a mechanism',
    subject: nextHopUrl,
    reason,
    hint,
  });
}

const noTunnelHint = 'a tunnel needs NSM_TUNNEL_IP, or a default route, and VXLAN in the kernel: see crosswire doctor';
const ethernetHint =
  'it needs WireGuard in the kernel (see crosswire doctor); or register the network service with payload ETHERNET, or run an endpoint on this node';

function tunnelOffer(tunnel: TunnelSettings, standing?: WireMechanism, wireguard?: WireguardSide): Mechanism {
  return wireguard ? wireguardOffer(tunnel, wireguard) : vxlanOffer(tunnel, standing);
}

function wireguardOffer({ address, mtu }: TunnelSettings, { port, publicKey }: WireguardSide): Mechanism {
  return {
    cls: remote,
    type: mechanismType.wireguard,
    parameters: {
      [parameter.sourceAddress]: address,
      [parameter.sourcePort]: String(port),
      [parameter.sourcePublicKey]: publicKey,
      [parameter.mtu]: String(tunnelMtu(address, mtu, 'wireguard')),
    },
  };
}

/** What it is in which VLAN, the endpoint says. */
const vlanOffer: Mechanism = { cls: remote, type: mechanismType.vlan, parameters: {} };

function vxlanOffer({ address, vxlanPort, mtu }: TunnelSettings, standing?: WireMechanism): Mechanism {
  const vni = standing?.type === 'vxlan' && standing.local === address ? standing.vni : undefined;
  return {
    cls: remote,
    type: mechanismType.vxlan,
    parameters: {
      [parameter.sourceAddress]: address,
      [parameter.sourcePort]: String(vxlanPort),
      [parameter.mtu]: String(tunnelMtu(address, mtu)),
      ...(vni === undefined ? {} : { [parameter.vni]: String(vni) }),
    },
  };
}

/** Bytes around the inner packet, with IPv4; with IPv6 it is 20 more. VXLAN carries an Ethernet frame, perhaps with a
 *  VLAN tag, in UDP in IP (RFC 7348, section 5); WireGuard has 32 of its own (contract of NSM's forwarders). */
const overhead = { vxlan: 54, wireguard: 60 } as const;

export function tunnelMtu(address: string, underlay: number, by: keyof typeof overhead = 'vxlan'): number {
  return underlay - overhead[by] - (address.includes(':') ? 20 : 0);
}

/** The caller's mechanisms that are available here, in the caller's order; only the one in use, if there is one. */
export function acceptable(
  { tunnel, devices }: Offering,
  carried: string,
  inUse: Mechanism | undefined,
  preferences: readonly Mechanism[],
): Mechanism[] {
  const carrier = carrierOf(tunnel, carried);
  const others = [...(devices ? [mechanismType.vfio] : []), ...(carrier ? [carrier] : [])];
  const types: readonly string[] = [mechanismType.memif, mechanismType.kernel, mechanismType.noop, ...others];
  const asked = inUse ? [inUse] : preferences;
  const taken = asked.filter(({ type }) => types.includes(type));
  if (taken.length > 0) return taken;
  throw new CrosswireError({
    code: 'MECHANISM_UNSUPPORTED',
    operation: 'choose a mechanism',
    subject: asked.map(({ type }) => type).join(', ') || 'none',
    reason: `this forwarder takes ${types.join(', ')} for payload ${carried}`,
    hint: carrier ? undefined : carried === payload.ethernet ? noTunnelHint : ethernetHint,
  });
}
