// SPDX-License-Identifier: Apache-2.0
// The mechanisms that are offered to the next hop, in order of preference, and those that are accepted from a caller.

import { CrosswireError } from '../../model/error.ts';
import type { Mechanism } from '../generated/connection.ts';
import { payload } from '../names.ts';
import { nsmMechanisms, tunnels } from './index.ts';
import { kernelOffer } from './kernel.ts';
import type { Known, NsmTunnel, TunnelSettings } from './mechanism.ts';
import { memifOffer } from './memif.ts';
import { noopOffer } from './noop.ts';
import { isOnThisNode } from './parameters.ts';
import { carries } from './tunnels.ts';
import { vlanOffer } from './vlan.ts';

export interface Offering {
  readonly tunnel?: TunnelSettings | undefined;
  /** Whether this node shares virtual functions. */
  readonly devices?: boolean;
  /** Whether this node knows gateways behind host devices. */
  readonly gateways?: boolean;
  /** Mechanism types to offer first, in this order. */
  readonly priority: readonly string[];
}

/** In order of preference: local ones for a next hop on this node, remote ones otherwise. `known` is the end that the wire
 *  already has there; without it, an endpoint or a node chooses new parameters. Throws if there is nothing to offer, because
 *  the next hop could only refuse without a reason. */
export function offersFor(
  { tunnel, gateways, priority }: Offering,
  carried: string,
  nextHopUrl: string,
  known: Known = {},
): Mechanism[] {
  if (isOnThisNode(nextHopUrl)) return inOrder(priority, [memifOffer(), kernelOffer(known)]);
  const networks = gateways && carried === payload.ethernet ? [vlanOffer()] : [];
  const carrier = carrierOf(tunnel, carried);
  if (tunnel && carrier) return inOrder(priority, [carrier.offer(tunnel, known), ...networks]);
  if (networks.length > 0) return inOrder(priority, networks);
  throw unsupported('offer the next hop a mechanism', nextHopUrl, missing(carried));
}

/** The offers for a client whose frames a NIC switches. An endpoint with its own device is preferred, because NSM's SR-IOV
 *  forwarder supports no other. */
export function deviceOffersFor({ priority }: Offering, nextHopUrl: string, known: Known = {}): Mechanism[] {
  const noop = noopOffer(nextHopUrl);
  return inOrder(priority, isOnThisNode(nextHopUrl) ? [noop, kernelOffer(known)] : [noop]);
}

function inOrder(priority: readonly string[], offers: readonly Mechanism[]): Mechanism[] {
  const rank = ({ type }: Mechanism) => {
    const at = priority.findIndex((name) => name.toUpperCase() === type);
    return at < 0 ? priority.length : at;
  };
  return offers.toSorted((a, b) => rank(a) - rank(b));
}

/** The tunnel that is offered to this next hop. */
export function leadingTunnel({ tunnel }: Offering, carried: string, nextHopUrl: string): NsmTunnel | undefined {
  return isOnThisNode(nextHopUrl) ? undefined : carrierOf(tunnel, carried);
}

function carrierOf(tunnel: TunnelSettings | undefined, carried: string): NsmTunnel | undefined {
  return tunnels.find((one) => carries(one, carried) && tunnel?.ports[one.wireType] !== undefined);
}

function missing(carried: string): { reason: string; hint?: string } {
  const [carrier] = tunnels.filter((one) => carries(one, carried));
  return carrier?.missing(carried) ?? { reason: `no tunnel carries payload ${carried}` };
}

/** The caller's mechanisms that are available here, in the caller's order; only the one in use, if there is one. */
export function acceptable(
  { tunnel, devices = false }: Offering,
  carried: string,
  inUse: Mechanism | undefined,
  preferences: readonly Mechanism[],
): Mechanism[] {
  const carrier = carrierOf(tunnel, carried);
  const isHere = { always: true, 'with devices': devices, never: false };
  const types = nsmMechanisms
    .filter((one) => (one.taken === 'as tunnel' ? one === carrier : isHere[one.taken]))
    .map(({ type }) => type);
  const asked = inUse ? [inUse] : preferences;
  const taken = asked.filter(({ type }) => types.includes(type));
  if (taken.length > 0) return taken;
  const subject = asked.map(({ type }) => type).join(', ') || 'none';
  const reason = `this forwarder takes ${types.join(', ')} for payload ${carried}`;
  const { hint } = carrier ? {} : missing(carried);
  throw unsupported('choose a mechanism', subject, hint === undefined ? { reason } : { reason, hint });
}

function unsupported(operation: string, subject: string, why: { reason: string; hint?: string }): CrosswireError {
  return new CrosswireError({ code: 'MECHANISM_UNSUPPORTED', operation, subject, ...why });
}
