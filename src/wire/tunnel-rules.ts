// SPDX-License-Identifier: Apache-2.0
// The rules between the keys of an end beyond this node, behind a tunnel or a host device, and the rest of its wire.

import { type Address, parseAddress } from './addresses.ts';
import { limits } from './limits.ts';
import { invalid, isMapping, type KeyPath, type Problem, valueAt } from './problems.ts';
import { publicKeyOf } from './wireguard-key.ts';

const ends = ['client', 'endpoint'] as const;
/** What each carries; the payload of a document that names none is ethernet. */
const beyond = {
  vxlan: { payload: 'ethernet', words: 'VXLAN carries Ethernet frames' },
  vlan: { payload: 'ethernet', words: 'VLAN carries Ethernet frames' },
  wireguard: { payload: 'ip', words: 'WireGuard carries IP packets' },
} as const;
type Beyond = keyof typeof beyond;

export function tunnelProblems(document: unknown): Problem[] {
  const there = ends.flatMap((end) => beyondAt(document, end));
  const [first] = there;
  if (!first) return [];
  const second = there.find(({ end }) => end !== first.end);
  if (second)
    return [invalid(second.path, 'key', 'both ends are beyond this node: a wire has at least one end at this one')];
  return [...payloadProblems(document, first.path, first.key), ...ownProblems(document, first.path, first.key)];
}

function beyondAt(document: unknown, end: (typeof ends)[number]) {
  const keys = Object.keys(beyond) as Beyond[];
  return keys
    .map((key) => ({ end, key, path: ['spec', end, key] }))
    .filter(({ path }) => isMapping(valueAt(document, path)));
}

function payloadProblems(document: unknown, path: KeyPath, key: Beyond): Problem[] {
  const given = valueAt(document, ['spec', 'payload']) === 'ip' ? 'ip' : 'ethernet';
  const { payload, words } = beyond[key];
  if (given === payload) return [];
  const reason = `${words}, and the payload of this wire is ${given}`;
  return [invalid(path, 'key', reason, `make the payload ${payload}`)];
}

function ownProblems(document: unknown, path: KeyPath, key: Beyond): Problem[] {
  if (key === 'vlan') return [];
  const own = key === 'vxlan' ? localProblems(document, path) : keyProblems(document, path);
  return [...own, ...mtuProblems(document, key, path)];
}

function addressAt(document: unknown, path: KeyPath, key: string): Address | undefined {
  return parseAddress(String(valueAt(document, [...path, key])));
}

function localProblems(document: unknown, path: KeyPath): Problem[] {
  const [local, remote] = [addressAt(document, path, 'local'), addressAt(document, path, 'remote')];
  if (!local || !remote) return [];
  if (local.family !== remote.family) {
    const reason = `an IPv${remote.family} address, but the local one is of IPv${local.family}`;
    return [invalid([...path, 'remote'], 'value', reason)];
  }
  if (local.text !== remote.text) return [];
  const reason = `${remote.text} is the local address, too: the tunnel would lead to itself`;
  return [invalid([...path, 'remote'], 'value', reason)];
}

/** The kernel silently leaves out a peer with the device's own key (drivers/net/wireguard/netlink.c, set_peer). */
function keyProblems(document: unknown, path: KeyPath): Problem[] {
  const own = publicKeyOf(valueAt(document, [...path, 'privateKey']));
  if (own === undefined || own !== valueAt(document, [...path, 'publicKey'])) return [];
  const reason = 'this is the public key of the private key beside it: the tunnel would lead to itself';
  return [invalid([...path, 'publicKey'], 'value', reason, 'write the public key of the other node')];
}

function mtuProblems(document: unknown, tunnel: keyof typeof limits.tunnelMtu, path: KeyPath): Problem[] {
  const family = addressAt(document, path, 'remote')?.family;
  const mtu = valueAt(document, ['spec', 'mtu']);
  if (family === undefined || typeof mtu !== 'number') return [];
  const most = limits.tunnelMtu[tunnel][family];
  if (mtu <= most) return [];
  const reason = `${mtu} is more than ${most}, which with the headers of the tunnel fills an IPv${family} packet`;
  return [invalid(['spec', 'mtu'], 'value', reason)];
}
