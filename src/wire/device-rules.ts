// SPDX-License-Identifier: Apache-2.0
// The rules between the keys of a virtual function and the rest of its wire.

import { isDeepStrictEqual } from 'node:util';
import { canonicalPci } from '../model/device.ts';
import { invalid, isMapping, type KeyPath, type Problem, valueAt } from './problems.ts';

const ends = ['client', 'endpoint'] as const;
const choices = ['pci', 'resource'] as const;

export function deviceProblems(document: unknown): Problem[] {
  const paths = ends.flatMap((end) => devicePaths(document, end));
  if (paths.length === 0) return [];
  return [
    ...paths.flatMap((path) => choiceProblems(document, path)),
    ...oppositeProblems(document),
    ...betweenProblems(document, paths),
  ];
}

function devicePaths(document: unknown, end: string): KeyPath[] {
  const paths = ['kernel', 'vfio'].map((mechanism) => ['spec', end, mechanism, 'device']);
  return paths.filter((path) => isMapping(valueAt(document, path)));
}

function choiceProblems(document: unknown, path: KeyPath): Problem[] {
  const given = choices.filter((key) => valueAt(document, [...path, key]) !== undefined);
  if (given.length === 2)
    return [invalid([...path, 'resource'], 'key', 'names a second device beside pci', 'keep one of pci and resource')];
  if (given.length === 1) return [];
  const hint = 'give pci, like 0000:01:10.0, or resource, like worker.domain/10G';
  return [{ code: 'KEY_MISSING', path, at: 'key', reason: 'the device is not named', hint }];
}

/** A NIC switches frames among its functions and to its port. What is beyond a tunnel has a MAC address that is not known
 *  here, and to others it hands nothing on. */
function oppositeProblems(document: unknown): Problem[] {
  const device = ends.find((end) => devicePaths(document, end).length > 0);
  const [opposite] = ends.flatMap((end) =>
    ['vxlan', 'wireguard'].map((mechanism) => ['spec', end, mechanism]).filter((path) => valueAt(document, path)),
  );
  if (!device || !opposite) return [];
  const reason = `the NIC switches the frames of the ${device} end, which is a virtual function, and reaches no ${opposite[2]} end`;
  return [invalid(opposite, 'key', reason, 'give this end a kernel interface, or vfio')];
}

function betweenProblems(document: unknown, [first, second]: readonly KeyPath[]): Problem[] {
  if (first && !second) return ends.flatMap((end) => networkProblems(document, first, ['spec', end, 'vlan', 'id']));
  if (!first || !second) return [];
  const value = (path: KeyPath, key: string) => valueAt(document, [...path, key]);
  const address = (path: KeyPath) => canonicalPci(String(value(path, 'pci')));
  const [one, other] = [address(first), address(second)];
  if (one !== undefined && one === other) {
    const reason = 'both ends are the same device: the wire would lead to itself';
    return [{ code: 'WIRE_TO_ITSELF', path: [...second, 'pci'], at: 'value', reason }];
  }
  const vlans = [value(first, 'vlan'), value(second, 'vlan')];
  if (vlans.includes(undefined) || isDeepStrictEqual(vlans[0], vlans[1])) return [];
  const reason = `the other end is in VLAN ${String(vlans[0])}: the NIC would join them never`;
  return [invalid([...second, 'vlan'], 'value', reason, 'give both ends the same vlan, or one of them none')];
}

/** Opposite a network behind the port of the NIC, the function is in the VLAN of that network. */
function networkProblems(document: unknown, device: KeyPath, path: KeyPath): Problem[] {
  const [id, own] = [valueAt(document, path), valueAt(document, [...device, 'vlan'])];
  if (id === undefined || own === undefined || id === own) return [];
  return [
    invalid(
      [...device, 'vlan'],
      'value',
      `the network at the other end is VLAN ${JSON.stringify(id)}`,
      'leave vlan out',
    ),
  ];
}
