// SPDX-License-Identifier: Apache-2.0
// Plans several wires that take resources from each other: an interface name, a VNI, a memif id, a device, an address. First
// every wire gives up what another wire gets, then each wire is made. So resources may move along a chain or swap, whatever
// the order of the wires. Pure.

import { type Action, advance } from './action.ts';
import { bare, change, plan, takeAway, unbind, usesAny } from './planner.ts';
import { deviceKey } from '../wire/claims.ts';
import type { InterfaceState, NameChoice, WireState } from './state.ts';
import { addressOf, heldByEngine, nameOf, partsOf, resourcesOf, routeOf } from './unique.ts';

export interface WireChange {
  readonly observed: WireState;
  readonly wanted: WireState;
  readonly names: NameChoice;
}

export interface Step {
  /** The index of the change to which the step belongs. */
  readonly at: number;
  readonly action: Action;
}

export function planTogether(changes: readonly WireChange[]): Step[] {
  const [first, ...others] = changes;
  if (first && others.length === 0) return stepsOf([plan(first.observed, first.wanted, first.names)]);
  const given = changes.map((one, at) => giveUp(one, takenFrom(changes, at)));
  const made = changes.map(({ observed, wanted, names }, at) =>
    plan((given[at] ?? []).reduce(advance, observed), wanted, names),
  );
  return [...stepsOf(given), ...stepsOf(made)];
}

/** Groups changes that share resources; returns their indexes. `before`: all states whose resources a wire may hold now. */
export function groupByResources(changes: readonly { readonly before: WireState[]; readonly after: WireState }[]) {
  const groups = changes.map((_, at) => [at]);
  const holders = new Map<string, number[]>();
  for (const [at, { before }] of changes.entries())
    for (const key of new Set(before.flatMap(resourcesOf))) holders.set(key, [...(holders.get(key) ?? []), at]);
  for (const [at, { after }] of changes.entries())
    for (const key of resourcesOf(after)) for (const holder of holders.get(key) ?? []) join(groups, at, holder);
  return [...new Set(groups)];
}

function join(groups: number[][], one: number, other: number): void {
  const [a, b] = [groups[one] as number[], groups[other] as number[]];
  if (a === b) return;
  const both = [...a, ...b].sort((first, second) => first - second);
  for (const at of both) groups[at] = both;
}

/** The resources that another wire gets and this one does not keep. */
function takenFrom(changes: readonly WireChange[], at: number): ReadonlySet<string> {
  const kept = new Set(resourcesOf((changes[at] as WireChange).wanted));
  const others = changes.filter((_, other) => other !== at).flatMap(({ wanted }) => resourcesOf(wanted));
  return new Set(others.filter((key) => !kept.has(key)));
}

function giveUp({ observed, names }: WireChange, taken: ReadonlySet<string>): Action[] {
  const { interfaces, devices = [], engine } = observed;
  const isTaken = (keys: readonly string[]) => keys.some((key) => taken.has(key));
  const removed = interfaces.filter((one) => isTaken(partsOf(one)));
  const stays = interfaces.filter((one) => !removed.includes(one));
  const stops = engine && (isTaken(heldByEngine(engine)) || usesAny(engine, removed));
  return [
    ...(stops ? [{ kind: 'stopEngineWire', engine } as const] : []),
    ...takeAway(removed),
    ...unbind(devices.filter(({ device }) => taken.has(deviceKey(device.pci)))),
    ...stays.flatMap((one) =>
      change(one, taken.has(nameOf(one)) ? bare(one, names[one.end].retired) : less(one, taken)),
    ),
  ];
}

function less(one: InterfaceState, taken: ReadonlySet<string>): InterfaceState {
  const { namespace, addresses, routes } = one;
  return {
    ...one,
    addresses: addresses.filter((address) => !taken.has(addressOf(namespace, address))),
    routes: routes.filter(({ to }) => !taken.has(routeOf(namespace, to))),
  };
}

function stepsOf(actions: readonly (readonly Action[])[]): Step[] {
  return actions.flatMap((own, at) => own.map((action) => ({ at, action })));
}
