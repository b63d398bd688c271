// SPDX-License-Identifier: Apache-2.0
// The path rule, with its reasons: the cheapest path that both ends allow.

import { endNames, otherEnd, type EndName, type Path } from '../model/wire.ts';
import { isTunnel, tunnelReach } from '../wire/mechanisms/index.ts';
import { hasDevice, isReached, networkEndOf, portEndOf, type TunnelMechanism, type Wire } from '../wire/wire.ts';
import { nicChoice, portChoice } from './nic-path.ts';

export interface PathChoice {
  readonly path: Path;
  /** One sentence per line. */
  readonly why: readonly string[];
}

const kernelMoves =
  'The kernel moves the frames; the forwarder touches none of them and may stop without stopping the wire.';

export function choosePath(wire: Wire): PathChoice {
  const portEnd = portEndOf(wire);
  if (portEnd) return portChoice(wire, portEnd);
  if (hasDevice(wire)) return nicChoice(wire);
  const network = networkEndOf(wire);
  if (network) return { path: 'vlan', why: [...network.why, kernelMoves] };
  const memory = endNames.filter((end) => isReached(wire[end], 'memory'));
  const tunnelEnd = endNames.find((end) => isTunnel(wire[end].mechanism));
  const tunnel = tunnelEnd && (wire[tunnelEnd].mechanism as TunnelMechanism);
  if (tunnel && isReached(wire[otherEnd(tunnelEnd)], 'interface')) return tunnelChoice(tunnel, tunnelEnd);
  if (memory.length === 0) return vethChoice(wire);
  if (memory.length === 2) return wire.direct ? proxy : engineChoice('Both ends speak', copiedOnce);
  const [first = 'client'] = memory;
  return engineChoice(`The ${first} end speaks`, tunnel ? wrapped(tunnel, tunnelEnd) : persistentTap(wire));
}

function vethChoice({ payload }: Wire): PathChoice {
  return {
    path: 'veth',
    why: [
      'Both ends are kernel interfaces of this node, so one veth pair across the two namespaces is the wire.',
      kernelMoves,
      ...(payload === 'ip'
        ? ['The payload is ip: each side knows the other by permanent neighbour entries, so nobody asks by ARP.']
        : []),
    ],
  };
}

const proxy: PathChoice = {
  path: 'proxy',
  why: [
    'Both ends speak memif and the wire is direct: the two applications share the memory themselves.',
    'The forwarder copies the messages by which they agree on it, and touches no frame.',
    'So it counts none: frames and drops of this wire stay zero; its status tells whether a session runs.',
  ],
};

function engineChoice(whoSpeaks: string, how: string): PathChoice {
  const why = [`${whoSpeaks} memif, which only user space can move: the wire goes through the engine.`, how];
  return { path: 'engine', why };
}

const copiedOnce = 'A frame is copied once, from the memory of one peer into that of the other.';

function wrapped({ type }: TunnelMechanism, end: EndName): string {
  return `The ${end} end is at another node: the kernel wraps its frames in ${tunnelReach(type).name}, at a device of the engine's own.`;
}

function persistentTap({ payload }: Wire): string {
  const kind = payload === 'ip' ? 'tun' : 'tap';
  return `The kernel end is a persistent ${kind} (payload ${payload}) born in the workload's namespace; it outlives the forwarder.`;
}

function tunnelChoice(tunnel: TunnelMechanism, end: EndName): PathChoice {
  return {
    path: 'tunnel',
    why: [
      `The ${end} end is at another node, so the workload's interface is the device of the tunnel to it.`,
      tunnelReach(tunnel.type).why(tunnel),
      'The forwarder touches none of them and may stop without stopping the wire.',
    ],
  };
}
