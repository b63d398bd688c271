// SPDX-License-Identifier: Apache-2.0
// The rules between keys that hold for every mechanism; each mechanism has its own besides. They read the raw document, so
// that they also apply where single values are wrong: one run of `apply` shows every mistake in a file.

import { isDeepStrictEqual } from 'node:util';
import { endNames, otherEnd } from '../model/wire.ts';
import { mechanisms, mechanismTypes } from './mechanisms/index.ts';
import type { WrittenEnd, WrittenWire } from './mechanisms/mechanism.ts';
import { invalid, isMapping, type KeyPath, type Problem, valueAt } from './values/problems.ts';

export function ruleProblems(document: unknown): Problem[] {
  const ends = endNames.flatMap((name) => writtenEnds(document, name));
  const wire = writtenWire(document, ends);
  const problems = [
    ...endNames.flatMap((end) => countProblems(document, ['spec', end])),
    ...ends.flatMap((end) => end.kind.problems(end, wire)),
    ...beyondProblems(ends, wire),
    ...directProblems(ends, wire),
  ];
  return problems.filter((one, at) => problems.findIndex((other) => isDeepStrictEqual(one, other)) === at);
}

/** Usually one; a wrong document may have several mechanisms at an end. */
function writtenEnds(document: unknown, name: WrittenEnd['name']): WrittenEnd[] {
  return mechanismTypes.flatMap((type) => {
    const path = ['spec', name, type];
    const value = valueAt(document, path);
    return isMapping(value) ? [{ name, kind: mechanisms[type], path, value }] : [];
  });
}

function writtenWire(document: unknown, ends: readonly WrittenEnd[]): WrittenWire {
  const spec = (key: string) => valueAt(document, ['spec', key]);
  const mtu = spec('mtu');
  return {
    payload: spec('payload') === 'ip' ? 'ip' : 'ethernet',
    mtu: typeof mtu === 'number' ? mtu : undefined,
    direct: spec('direct') === true,
    opposite: (end) => ends.find(({ name }) => name === otherEnd(end)),
  };
}

function countProblems(document: unknown, path: KeyPath): Problem[] {
  if (!isMapping(valueAt(document, path))) return [];
  const given = mechanismTypes.filter((type) => valueAt(document, [...path, type]) !== undefined);
  if (given.length === 0)
    return [mechanismCount(path, 'the end has no mechanism', `give it ${mechanismTypes.join(', or ')}`)];
  const reason = `an end has one mechanism, and this one has ${given.join(' and ')}`;
  return given.slice(1).map((key) => mechanismCount([...path, key], reason));
}

/** An end beyond this node carries one payload, and the other end is at this node. */
function beyondProblems(ends: readonly WrittenEnd[], { payload }: WrittenWire): Problem[] {
  const beyond = ends.filter(({ kind }) => 'carries' in kind.reach);
  const [first] = beyond;
  const second = beyond.find(({ name }) => name !== first?.name);
  if (!first || !('carries' in first.kind.reach)) return [];
  if (second)
    return [invalid(second.path, 'key', 'both ends are beyond this node: a wire has at least one end at this one')];
  const { carries } = first.kind.reach;
  if (carries.payload === payload) return [];
  const reason = `${carries.words}, and the payload of this wire is ${payload}`;
  return [invalid(first.path, 'key', reason, `make the payload ${carries.payload}`)];
}

/** The forwarder listens for the client end's application and connects to the endpoint's. */
function directProblems(ends: readonly WrittenEnd[], { direct }: WrittenWire): Problem[] {
  if (!direct) return [];
  const problem = (reason: string, hint: string) => [invalid(['spec', 'direct'], 'key', reason, hint)];
  const [client, endpoint] = endNames.map((end) =>
    ends.find(({ name, kind }) => name === end && kind.reach.at === 'memory'),
  );
  if (!client || !endpoint)
    return problem('only two memif applications can share memory directly', 'leave it out, or give both ends memif');
  if (client.value['role'] === 'server' && endpoint.value['role'] === 'client') return [];
  return problem('the forwarder listens at the client end and connects to the endpoint', 'roles: server, then client');
}

const mechanismCount = (path: KeyPath, reason: string, hint?: string): Problem => ({
  ...invalid(path, 'key', reason, hint),
  code: 'MECHANISM_COUNT',
});
