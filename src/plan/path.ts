// SPDX-License-Identifier: Apache-2.0
// The path rule, with its reasons: the cheapest path that both ends allow.

import { type EndName, otherEnd, type Path } from '../model/wire.ts';
import { hasDevice, isTunnel, portEndOf, type TunnelMechanism, type VlanMechanism, type Wire } from '../wire/wire.ts';
import { nicChoice, portChoice } from './nic-path.ts';

export interface PathChoice {
  readonly path: Path;
  /** One sentence a line. */
  readonly why: readonly string[];
}

export function choosePath(wire: Wire): PathChoice {
  const portEnd = portEndOf(wire);
  if (portEnd) return portChoice(wire, portEnd);
  if (hasDevice(wire)) return nicChoice(wire);
  const vlanEnd = (['client', 'endpoint'] as const).find((end) => wire[end].mechanism.type === 'vlan');
  if (vlanEnd) return vlanChoice(wire[vlanEnd].mechanism as VlanMechanism, vlanEnd);
  const tunnelEnd = (['client', 'endpoint'] as const).find((end) => isTunnel(wire[end].mechanism));
  const tunnel = tunnelEnd && wire[tunnelEnd].mechanism;
  if (tunnelEnd && tunnel && isTunnel(tunnel) && wire[otherEnd(tunnelEnd)].mechanism.type === 'kernel')
    return tunnelChoice(tunnel, tunnelEnd);
  const memifEnds = (['client', 'endpoint'] as const).filter((end) => wire[end].mechanism.type === 'memif');
  if (memifEnds.length === 0) {
    return {
      path: 'veth',
      why: [
        'Both ends are kernel interfaces of this node, so one veth pair across the two namespaces is the wire.',
        'The kernel moves the frames; the forwarder touches none of them and may stop without stopping the wire.',
        ...(wire.payload === 'ip'
          ? ['The payload is ip: each side knows the other by permanent neighbour entries, so nobody asks by ARP.']
          : []),
      ],
    };
  }
  if (memifEnds.length === 2 && wire.direct) {
    return {
      path: 'proxy',
      why: [
        'Both ends speak memif and the wire is direct: the two applications share the memory themselves.',
        'The forwarder copies the messages by which they agree on it, and touches no frame.',
        'So it counts none: frames and drops of this wire stay zero; its status tells whether a session runs.',
      ],
    };
  }
  const kind = wire.payload === 'ip' ? 'tun' : 'tap';
  return {
    path: 'engine',
    why: [
      memifEnds.length === 2
        ? 'Both ends speak memif, which only user space can move: the wire goes through the engine.'
        : `The ${memifEnds[0]} end speaks memif, which only user space can move: the wire goes through the engine.`,
      ...(memifEnds.length === 2
        ? ['A frame is copied once, from the memory of one peer into that of the other.']
        : tunnelEnd
          ? [
              `The ${tunnelEnd} end is at another node: the kernel wraps its frames in ${tunnel?.type === 'wireguard' ? 'WireGuard' : 'VXLAN'}, at a device of the engine's own.`,
            ]
          : [
              `The kernel end is a persistent ${kind} (payload ${wire.payload}) born in the workload's namespace; it outlives the forwarder.`,
            ]),
    ],
  };
}

function vlanChoice({ device, id }: VlanMechanism, end: EndName): PathChoice {
  const what = `The ${end} end is the network behind ${device}`;
  return {
    path: 'vlan',
    why: [
      id === 0
        ? `${what}, without a tag, so the workload's interface is a macvlan of that device.`
        : `${what}, in VLAN ${id}, so the workload's interface is a VLAN device above a macvlan of its own there.`,
      'It is in private mode: many wires share the device, and none reaches another through it.',
      'The kernel moves the frames; the forwarder touches none of them and may stop without stopping the wire.',
    ],
  };
}

function tunnelChoice(tunnel: TunnelMechanism, end: EndName): PathChoice {
  return {
    path: 'tunnel',
    why: [
      `The ${end} end is at another node, so the workload's interface is the device of the tunnel to it.`,
      tunnelInWords(tunnel),
      'The forwarder touches none of them and may stop without stopping the wire.',
    ],
  };
}

function tunnelInWords(tunnel: TunnelMechanism): string {
  if (tunnel.type === 'wireguard') {
    const { localPort, remote, remotePort } = tunnel;
    return `The kernel encrypts its packets and sends them in UDP from port ${localPort} to ${remote}, port ${remotePort}.`;
  }
  const { local, remote, port, vni } = tunnel;
  return `The kernel wraps its frames in VXLAN ${vni} from ${local} to ${remote}, UDP port ${port}.`;
}
