// SPDX-License-Identifier: Apache-2.0
// Networks behind host devices of this node, to which endpoints at other nodes lead clients: an endpoint answers with the name
// of a gateway and a VLAN, and this node knows the device of the gateway (cmd-nse-remote-vlan; sdk-vpp, mechanisms/vlan).

import { CrosswireError } from '../../model/error.ts';
import { limits } from '../../wire/values/limits.ts';
import type { Connection, Mechanism } from '../generated/connection.ts';
import { label, mechanismType, parameter } from '../names.ts';
import { isCarriedByNic } from './devices.ts';

export interface Gateways {
  readonly deviceOf: (via: string) => string | undefined;
  /** The MTU of a host device. Rejects if there is no such device. */
  readonly mtuOf: (device: string) => Promise<number>;
}

/** The network of a gateway: a host device of this node, and the VLAN in it. */
export interface GatewayNetwork {
  readonly device: string;
  readonly id: number;
  readonly mtu: number;
}

/** The network in an endpoint's answer; undefined if the answer has another mechanism. */
export async function gatewayNetworkOf(
  gateways: Gateways | undefined,
  answer: Connection,
): Promise<GatewayNetwork | undefined> {
  const { mechanism, labels } = answer;
  if (mechanism?.type !== mechanismType.vlan) return undefined;
  const given = mechanism.parameters[parameter.vlanId] ?? '';
  if (!/^\d{1,4}$/.test(given) || Number(given) > limits.vlan)
    throw wrong(`${parameter.vlanId} '${given}'`, `it is no VLAN identifier from 0 to ${limits.vlan}`);
  const via = labels[label.via] ?? '';
  const device = gateways?.deviceOf(via);
  if (device === undefined)
    throw wrong(`${label.via} '${via}'`, 'the device selector file of this node names no device for it');
  return { device, id: Number(given), mtu: (await gateways?.mtuOf(device)) ?? 0 };
}

function wrong(subject: string, reason: string): CrosswireError {
  const hint = 'NSM_DEVICE_SELECTOR_FILE says which device leads to which gateway';
  const operation = "read the endpoint's mechanism VLAN";
  return new CrosswireError({ code: 'MECHANISM_PARAMETER', operation, subject, reason, hint });
}

/** Sets the MTU of the device, unless the endpoint asked for a smaller one. */
export function withNetworkMtu({ context }: Connection, { mtu }: GatewayNetwork): Connection['context'] {
  return context && { ...context, MTU: context.MTU === 0 ? mtu : Math.min(context.MTU, mtu) };
}

/** Whether the other end delivers only frames for the MAC address in the context. */
export function deliversByMac(opposite: Mechanism): boolean {
  return isCarriedByNic(opposite) || opposite.type === mechanismType.vlan;
}
