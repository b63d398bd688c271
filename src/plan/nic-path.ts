// SPDX-License-Identifier: Apache-2.0
// Chooses and explains the path of wires with a virtual function, and of wires with a port of the engine.

import { type EndName, endNames, otherEnd } from '../model/wire.ts';
import { deviceOf, isReached, networkEndOf, type Wire } from '../wire/wire.ts';
import type { PathChoice } from './path.ts';

export function nicChoice(wire: Wire): PathChoice {
  const own = endNames.filter((end) => deviceOf(wire[end]));
  return { path: 'nic', why: [...wayOf(wire, own), ...segmentOf(wire)] };
}

export function portChoice(wire: Wire, memif: EndName): PathChoice {
  const network = networkEndOf(wire);
  const port = network
    ? network.whyPort
    : [
        `The ${otherEnd(memif)} end is a virtual function; the engine has a second one of the same NIC, which switches between them.`,
        ...segmentOf(wire),
      ];
  return {
    path: 'engine',
    why: [`The ${memif} end speaks memif, which only user space can move: the wire goes through the engine.`, ...port],
  };
}

function wayOf(wire: Wire, own: readonly EndName[]): string[] {
  const [first = 'client'] = own;
  const switched =
    'The NIC moves the frames; the forwarder touches none of them and may stop without stopping the wire.';
  if (own.length === 2)
    return [
      'Both ends are virtual functions, which the NIC switches: of one port itself, of two over their cable.',
      switched,
    ];
  const other = otherEnd(first);
  if (isReached(wire[other], 'interface'))
    return [
      `The ${first} end is a virtual function; the ${other}'s interface becomes a second one of the same NIC.`,
      switched,
    ];
  return [`The ${first} end is a virtual function, and the other one is behind the port of the same NIC.`, switched];
}

function segmentOf(wire: Wire): string[] {
  const vlan = vlanOf(wire);
  if (vlan) return [`Its frames are in VLAN ${vlan}, so that other functions of the NIC neither see nor reach them.`];
  return ['It has no VLAN of its own: it shares the untagged segment of the NIC with every other function there.'];
}

/** The VLAN into which the NIC puts the frames of a wire; undefined if no end names one. */
export function vlanOf(wire: Wire): number | undefined {
  const network = networkEndOf(wire);
  const segmentOf = (end: EndName) => (network?.end === end ? network.segment : deviceOf(wire[end])?.vlan);
  return endNames.map(segmentOf).find((segment) => segment !== undefined);
}
