// SPDX-License-Identifier: Apache-2.0
// The rules between the entries of a kernel end's lists.

import { canonicalAddress, parseAddress, parseNetwork } from '../values/addresses.ts';
import { invalid, isMapping, type KeyPath, type Problem, valueAt } from '../values/problems.ts';
import type { WrittenEnd } from './mechanism.ts';

export function routeProblems({ path, value }: WrittenEnd): Problem[] {
  const lists = [
    ['routes'],
    ...entriesOf(value, ['policies']).map(([index]) => ['policies', index, 'routes'] as KeyPath),
  ];
  return lists.flatMap((list) => [...gatewayProblems(path, value, list), ...repeated(path, value, list, 'to')]);
}

export function repeatedProblems({ path, value }: WrittenEnd): Problem[] {
  return [
    ...repeated(path, value, ['policies'], packetsOf),
    ...repeated(path, value, ['addresses'], (entry) => entry),
    ...repeated(path, value, ['neighbours'], 'address'),
  ];
}

function gatewayProblems(path: KeyPath, value: unknown, list: KeyPath): Problem[] {
  return entriesOf(value, list).flatMap(([index, route]) => {
    const [to, via] = [parseNetwork(String(route['to'])), parseAddress(String(route['via']))];
    if (!to || !via || to.address.family === via.family) return [];
    const reason = `an IPv${via.family} gateway for the IPv${to.address.family} network ${to.text}`;
    return [invalid([...path, ...list, index, 'via'], 'value', reason)];
  });
}

/** The packets that a policy is for, which no other policy may have. */
function packetsOf(entry: unknown): string | undefined {
  if (!isMapping(entry)) return undefined;
  const { from, protocol, destinationPorts, sourcePorts } = entry;
  const words = { from, protocol, 'to port': destinationPorts, 'from port': sourcePorts };
  const given = Object.entries(words).filter(([, value]) => value !== undefined);
  return `a policy for ${given.map(([word, value]) => `${word} ${String(value)}`).join(', ') || 'all packets'}`;
}

function repeated(
  path: KeyPath,
  value: unknown,
  list: KeyPath,
  key: string | ((entry: unknown) => unknown),
): Problem[] {
  const keyOf = typeof key === 'string' ? (entry: unknown) => isMapping(entry) && entry[key] : key;
  const seen = new Set<string>();
  return listAt(value, list).flatMap((entry, index) => {
    const found = keyOf(entry);
    if (typeof found !== 'string') return [];
    const canonical = canonicalAddress(found);
    const isRepeated = seen.has(canonical);
    seen.add(canonical);
    return isRepeated ? [invalid([...path, ...list, index], 'value', `${canonical} is there twice`)] : [];
  });
}

function entriesOf(value: unknown, list: KeyPath): [number, Record<string, unknown>][] {
  return listAt(value, list).flatMap((entry, index) =>
    isMapping(entry) ? [[index, entry] as [number, Record<string, unknown>]] : [],
  );
}

function listAt(value: unknown, list: KeyPath): readonly unknown[] {
  const found = valueAt(value, list);
  return Array.isArray(found) ? found : [];
}
