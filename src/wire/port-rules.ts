// SPDX-License-Identifier: Apache-2.0
// The rules of a memif end opposite a virtual function or a VLAN, for which the engine has an interface of its own
// (docs/decisions/017-engine-ports.md).

import { invalid, isMapping, type KeyPath, type Problem, valueAt } from './problems.ts';

const ends = ['client', 'endpoint'] as const;

export function portProblems(document: unknown): Problem[] {
  return ends.flatMap((end) => {
    const path = ['spec', end, 'memif'];
    if (!isMapping(valueAt(document, path))) return [];
    const [opposite] = ends.filter((other) => other !== end).flatMap((other) => reached(document, other));
    return opposite
      ? [...macProblems(document, path, opposite), ...payloadProblems(document, opposite)]
      : strayMac(document, path);
  });
}

/** What an end is whose frames come by hardware or a host device. */
function reached(document: unknown, end: string): string[] {
  const has = (...keys: string[]) => isMapping(valueAt(document, ['spec', end, ...keys]));
  if (has('vlan')) return ['vlan'];
  return has('vfio') || has('kernel', 'device') ? ['virtual function'] : [];
}

function macProblems(document: unknown, path: KeyPath, opposite: string): Problem[] {
  if (valueAt(document, [...path, 'mac']) !== undefined) return [];
  const reason = `opposite a ${opposite} end, only frames to a known MAC address come here`;
  const hint = 'give mac, the address that the application has';
  return [{ code: 'KEY_MISSING', path, at: 'key', reason, hint }];
}

/** Of a VLAN, ./tunnel-rules.ts says so. */
function payloadProblems(document: unknown, opposite: string): Problem[] {
  const path = ['spec', 'payload'];
  if (opposite === 'vlan' || valueAt(document, path) !== 'ip') return [];
  const reason = 'a NIC carries Ethernet frames, and memif with payload ip has none';
  return [invalid(path, 'value', reason, 'make the payload ethernet')];
}

function strayMac(document: unknown, path: KeyPath): Problem[] {
  if (valueAt(document, [...path, 'mac']) === undefined) return [];
  const reason = 'nothing looks at it: the other end is neither a virtual function nor a vlan';
  return [invalid([...path, 'mac'], 'key', reason, 'leave it out')];
}
