// SPDX-License-Identifier: Apache-2.0
// The rules between the keys of an end beyond this node, behind a tunnel or a host device, and the rest of its wire.

import { type Address, parseAddress } from './addresses.ts';
import { limits } from './limits.ts';
import { invalid, isMapping, type KeyPath, type Problem, valueAt } from './problems.ts';

const ends = ['client', 'endpoint'] as const;
const beyond = { vxlan: 'VXLAN', vlan: 'VLAN' } as const;
type Beyond = keyof typeof beyond;

export function tunnelProblems(document: unknown): Problem[] {
  const there = ends.flatMap((end) => beyondAt(document, end));
  const [first] = there;
  if (!first) return [];
  const second = there.find(({ end }) => end !== first.end);
  if (second)
    return [invalid(second.path, 'key', 'both ends are beyond this node: a wire has at least one end at this one')];
  const problems = payloadProblems(document, first.path, first.key);
  return first.key === 'vxlan' ? [...problems, ...addressProblems(document, first.path)] : problems;
}

function beyondAt(document: unknown, end: (typeof ends)[number]) {
  const keys = Object.keys(beyond) as Beyond[];
  return keys
    .map((key) => ({ end, key, path: ['spec', end, key] }))
    .filter(({ path }) => isMapping(valueAt(document, path)));
}

function payloadProblems(document: unknown, path: KeyPath, key: Beyond): Problem[] {
  if (valueAt(document, ['spec', 'payload']) !== 'ip') return [];
  const reason = `${beyond[key]} carries Ethernet frames, and the payload of this wire is ip`;
  return [invalid(path, 'key', reason, 'make the payload ethernet')];
}

function addressProblems(document: unknown, path: KeyPath): Problem[] {
  const address = (key: string) => parseAddress(String(valueAt(document, [...path, key])));
  const [local, remote] = [address('local'), address('remote')];
  if (!local || !remote) return [];
  if (local.family !== remote.family) {
    const reason = `an IPv${remote.family} address, but the local one is of IPv${local.family}`;
    return [invalid([...path, 'remote'], 'value', reason)];
  }
  if (local.text === remote.text) {
    const reason = `${remote.text} is the local address, too: the tunnel would lead to itself`;
    return [invalid([...path, 'remote'], 'value', reason)];
  }
  return mtuProblems(document, local);
}

function mtuProblems(document: unknown, { family }: Address): Problem[] {
  const mtu = valueAt(document, ['spec', 'mtu']);
  const most = limits.tunnelMtu[family];
  if (typeof mtu !== 'number' || mtu <= most) return [];
  const reason = `${mtu} is more than ${most}, which with the headers of the tunnel fills an IPv${family} packet`;
  return [invalid(['spec', 'mtu'], 'value', reason)];
}
