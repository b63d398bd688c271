// SPDX-License-Identifier: Apache-2.0
// The rules that hold between keys. They look at the raw document, so that they speak up even where single values are
// wrong as well: one run of `apply` shows every error of a file.

import { isDeepStrictEqual } from 'node:util';
import { parseAddress, parseNetwork } from './addresses.ts';
import { defaults, limits } from './limits.ts';
import { invalid, isMapping, type KeyPath, type Problem, valueAt } from './problems.ts';
import { deviceProblems } from './device-rules.ts';
import { portProblems } from './port-rules.ts';
import { tunnelProblems } from './tunnel-rules.ts';

const ends = ['client', 'endpoint'] as const;
const mechanisms = ['kernel', 'memif', 'vxlan', 'vlan', 'vfio', 'wireguard'] as const;
const namespaceKeys = ['netns', 'pid', 'inode'] as const;

export function ruleProblems(document: unknown): Problem[] {
  const problems = ends.flatMap((end) => endProblems(document, ['spec', end]));
  const between = [
    mtuProblems,
    macProblems,
    tunnelProblems,
    directProblems,
    deviceProblems,
    portProblems,
    selfProblems,
  ];
  return [...problems, ...between.flatMap((rule) => rule(document))];
}

function endProblems(document: unknown, path: KeyPath): Problem[] {
  if (!isMapping(valueAt(document, path))) return [];
  const has = (mechanism: string) => valueAt(document, [...path, mechanism]) !== undefined;
  const problems: Problem[] = [];
  const given = mechanisms.filter(has);
  const [first, ...more] = given;
  const reason = `an end has one mechanism, and this one has ${given.join(' and ')}`;
  for (const key of more) problems.push(mechanismCount([...path, key], 'key', reason));
  if (!first)
    problems.push(mechanismCount(path, 'key', 'the end has no mechanism', `give it ${mechanisms.join(', or ')}`));
  if (isMapping(valueAt(document, [...path, 'kernel'])))
    problems.push(...kernelProblems(document, [...path, 'kernel']));
  if (isMapping(valueAt(document, [...path, 'memif']))) problems.push(...memifProblems(document, [...path, 'memif']));
  return problems;
}

function kernelProblems(document: unknown, path: KeyPath): Problem[] {
  const problems: Problem[] = [];
  const given = namespaceKeys.filter((key) => valueAt(document, [...path, key]) !== undefined);
  if (given.length === 0)
    problems.push({
      code: 'KEY_MISSING',
      path,
      at: 'key',
      reason: 'no network namespace',
      hint: 'give netns, pid or inode',
    });
  const together = given.length === 2 && given.includes('netns') && given.includes('inode');
  for (const key of together ? [] : given.slice(1))
    problems.push(invalid([...path, key], 'key', `names a second network namespace beside ${given[0]}`, 'keep one'));

  problems.push(...routeProblems(document, [...path, 'routes']));
  for (const [index] of entries(document, [...path, 'policies']))
    problems.push(...routeProblems(document, [...path, 'policies', index, 'routes']));
  problems.push(...repeated(document, [...path, 'policies'], policyKey));
  problems.push(...repeated(document, [...path, 'addresses'], (entry) => entry));
  problems.push(...repeated(document, [...path, 'neighbours'], (entry) => isMapping(entry) && entry['address']));
  return problems;
}

function* routeProblems(document: unknown, path: KeyPath): Generator<Problem> {
  for (const [index, route] of entries(document, path)) {
    const to = parseNetwork(String(route['to']));
    const via = parseAddress(String(route['via']));
    if (to && via && to.address.family !== via.family)
      yield invalid(
        [...path, index, 'via'],
        'value',
        `an IPv${via.family} gateway for the IPv${to.address.family} network ${to.text}`,
      );
  }
  yield* repeated(document, path, (entry) => isMapping(entry) && entry['to']);
}

/** What a policy is told by from others: its packets. */
function policyKey(entry: unknown): string | undefined {
  if (!isMapping(entry)) return undefined;
  const { from, protocol, destinationPorts, sourcePorts } = entry;
  const words = { from, protocol, 'to port': destinationPorts, 'from port': sourcePorts };
  const given = Object.entries(words).filter(([, value]) => value !== undefined);
  return `a policy for ${given.map(([word, value]) => `${word} ${String(value)}`).join(', ') || 'all packets'}`;
}

function memifProblems(document: unknown, path: KeyPath): Problem[] {
  const problems: Problem[] = [];
  const value = (key: string) => valueAt(document, [...path, key]);
  const socket = value('socket');
  const placed = typeof socket === 'string' && !socket.startsWith('@') ? (['netns', 'inode'] as const) : [];
  for (const key of placed.filter((one) => value(one) !== undefined))
    problems.push(
      invalid(
        [...path, key],
        'key',
        'only an abstract socket lives in a network namespace',
        `write the socket as '@name', or leave ${key} out`,
      ),
    );
  const rings = value('rings') ?? defaults.memif.rings;
  const ringSize = value('ringSize') ?? defaults.memif.ringSize;
  const buffers = 2 * Number(rings) * Number(ringSize);
  const withinBounds = Number(rings) <= limits.rings && Number(ringSize) <= limits.ringSize.most;
  if (value('role') === 'client' && withinBounds && buffers > limits.clientBuffers)
    problems.push(
      invalid(
        [...path, 'rings'],
        'value',
        `${buffers} buffers in both directions; peers number at most ${limits.clientBuffers}`,
        'use fewer rings, or a smaller ringSize',
      ),
    );
  return problems;
}

function mtuProblems(document: unknown): Problem[] {
  const mtu = valueAt(document, ['spec', 'mtu']);
  if (typeof mtu !== 'number' || mtu >= limits.mtu.leastWithIPv6 || mtu < limits.mtu.least) return [];
  const has6 = ends.some((end) =>
    list(document, ['spec', end, 'kernel', 'addresses']).some(
      (address) => parseNetwork(String(address))?.address.family === 6,
    ),
  );
  if (!has6) return [];
  return [invalid(['spec', 'mtu'], 'value', `IPv6 needs an MTU of at least ${limits.mtu.leastWithIPv6}, not ${mtu}`)];
}

/** Opposite memif or WireGuard, an interface of IP packets is a device without a link layer. */
function macProblems(document: unknown): Problem[] {
  if (valueAt(document, ['spec', 'payload']) !== 'ip') return [];
  const layerless = ['memif', 'wireguard'].find((mechanism) =>
    ends.some((end) => valueAt(document, ['spec', end, mechanism]) !== undefined),
  );
  if (!layerless) return [];
  return ends
    .map((end) => ['spec', end, 'kernel', 'mac'])
    .filter((path) => valueAt(document, path) !== undefined)
    .map((path) =>
      invalid(path, 'key', `an interface of payload ip opposite a ${layerless} end has no MAC address`, 'leave it out'),
    );
}

/** Who connects is led to who listens: the client end's application finds the endpoint's. */
function directProblems(document: unknown): Problem[] {
  const path = ['spec', 'direct'];
  if (valueAt(document, path) !== true) return [];
  const problem = (reason: string, hint: string) => [invalid(path, 'key', reason, hint)];
  const role = (end: string) => valueAt(document, ['spec', end, 'memif', 'role']);
  if (ends.some((end) => valueAt(document, ['spec', end, 'memif']) === undefined))
    return problem('only two memif applications can share memory directly', 'leave it out, or give both ends memif');
  if (role('client') === 'server' && role('endpoint') === 'client') return [];
  return problem('the forwarder listens at the client end and connects to the endpoint', 'roles: server, then client');
}

function selfProblems(document: unknown): Problem[] {
  const identities = ends.map((end) => endIdentity(valueAt(document, ['spec', end])));
  if (identities[0] === undefined || !isDeepStrictEqual(identities[0], identities[1])) return [];
  const reason = 'both ends are the same: the wire would lead to itself';
  return [{ code: 'WIRE_TO_ITSELF', path: ['spec', 'endpoint'], at: 'key', reason }];
}

/** What no two ends can share: an interface of a namespace, an id on a socket, a VNI at a port of a node (the kernel has
 *  one device for it, whatever its remote: vxlan_vni_in_use() in drivers/net/vxlan/vxlan_core.c), a port of WireGuard. */
export function endIdentity(end: unknown): unknown {
  const kernel = valueAt(end, ['kernel']);
  if (isMapping(kernel)) {
    const key = ['inode', ...namespaceKeys].find((name) => kernel[name] !== undefined);
    if (key === undefined || kernel['interface'] === undefined) return undefined;
    return ['kernel', key, kernel[key], kernel['interface']];
  }
  const vxlan = valueAt(end, ['vxlan']);
  if (isMapping(vxlan)) {
    const family = parseAddress(String(vxlan['local']))?.family;
    if (family === undefined || vxlan['vni'] === undefined) return undefined;
    return ['vxlan', family, vxlan['port'] ?? defaults.vxlan.port, vxlan['vni']];
  }
  const wireguard = valueAt(end, ['wireguard']);
  if (isMapping(wireguard)) return ['wireguard', wireguard['localPort'] ?? defaults.wireguard.port];
  const memif = valueAt(end, ['memif']);
  if (!isMapping(memif) || memif['socket'] === undefined) return undefined;
  return ['memif', memif['inode'] ?? memif['netns'] ?? '', memif['socket'], memif['id'] ?? defaults.memif.id];
}

function* entries(document: unknown, path: KeyPath): Generator<[number, Record<string, unknown>]> {
  for (const [index, entry] of list(document, path).entries()) if (isMapping(entry)) yield [index, entry];
}

function* repeated(document: unknown, path: KeyPath, keyOf: (entry: unknown) => unknown): Generator<Problem> {
  const seen = new Set<string>();
  for (const [index, entry] of list(document, path).entries()) {
    const key = keyOf(entry);
    if (typeof key !== 'string') continue;
    const canonical = parseNetwork(key)?.text ?? parseAddress(key)?.text ?? key;
    if (seen.has(canonical)) yield invalid([...path, index], 'value', `${canonical} is there twice`);
    seen.add(canonical);
  }
}

function list(document: unknown, path: KeyPath): readonly unknown[] {
  const value = valueAt(document, path);
  return Array.isArray(value) ? value : [];
}

const mechanismCount = (path: KeyPath, at: Problem['at'], reason: string, hint?: string): Problem => ({
  ...invalid(path, at, reason, hint),
  code: 'MECHANISM_COUNT',
});
