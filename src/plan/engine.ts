// SPDX-License-Identifier: Apache-2.0
// Plans the engine's part: the actions before interfaces give up their names, and those after they have got them.

import { type EndName, endNames } from '../model/wire.ts';
import type { Action } from './action.ts';
import { sameEngineEnd } from './parameters.ts';
import { type EngineEnd, type EngineState, interfaceEndOf, type InterfaceState, tunnelKey } from './state.ts';
import { listenerOf } from './unique.ts';

export interface EnginePlan {
  readonly before: readonly Action[];
  readonly after: readonly Action[];
}

const idle: EnginePlan = { before: [], after: [] };

export function planEngine(
  old: EngineState | undefined,
  wanted: EngineState | undefined,
  fresh: readonly InterfaceState[],
): EnginePlan {
  if (!old && !wanted) return idle;
  if (!old) return { before: [], after: [{ kind: 'startEngineWire', engine: wanted as EngineState }] };
  if (!wanted) return { before: [{ kind: 'stopEngineWire', engine: old }], after: [] };

  const differing =
    old.direct !== wanted.direct
      ? endNames
      : endNames.filter((end) => isFresh(wanted[end], end, fresh) || !sameEngineEnd(old[end], wanted[end]));
  if (differing.length === 0) return idle;
  if (mustRestart(old, wanted, differing, fresh)) {
    return {
      before: [{ kind: 'stopEngineWire', engine: old }],
      after: [{ kind: 'startEngineWire', engine: wanted }],
    };
  }
  return { before: differing.map((end) => replace(end, old[end], wanted[end], fresh)), after: [] };
}

/** Whether the engine wire must be stopped and started again. Replacing an end opens the new link while the old one is open.
 *  That is impossible if the old link holds a unique resource that the new one needs: a tap with one queue, an id of a memif
 *  listener, or a tunnel's VNI or port. It is wrong if two sockets would receive the frames of the same device. */
function mustRestart(
  old: EngineState,
  wanted: EngineState,
  differing: readonly EndName[],
  fresh: readonly InterfaceState[],
): boolean {
  if (old.payload !== wanted.payload || old.direct || wanted.direct) return true;
  const held = endNames.map((end) => exclusiveKey(old[end])).filter((key) => key !== undefined);
  return differing.some((end) => {
    const target = wanted[end];
    if (target.kind === 'device' || old[end].kind === 'device') return true;
    if (target.kind === 'tap') return !isFresh(target, end, fresh);
    return held.includes(exclusiveKey(target) ?? '');
  });
}

function replace(end: EndName, from: EngineEnd, to: EngineEnd, fresh: readonly InterfaceState[]): Action {
  const created = fresh.find((candidate) => candidate.end === end);
  const target = to.kind === 'tap' && created ? { ...to, interface: created.name } : to;
  return { kind: 'replaceEngineEnd', end, from, to: target };
}

function isFresh(target: EngineEnd, at: EndName, fresh: readonly InterfaceState[]): boolean {
  return fresh.some((candidate) => candidate.end === interfaceEndOf(target, at));
}

/** The resource that only one link can hold: an id on a listening socket, or a tunnel's VNI or port. */
function exclusiveKey(end: EngineEnd): string | undefined {
  if (end.kind === 'tunnel') return tunnelKey(end.tunnel);
  return end.kind === 'memif' && end.role === 'server' ? listenerOf(end) : undefined;
}
