// SPDX-License-Identifier: Apache-2.0
// Plans: (observed, wanted) → actions. Pure. A resource that needs no change causes no action; removing a wire is wanting nothing.
//
// In this order every prefix can be undone, and the old resources stay until the new ones are complete:
//   engine  stop the old engine wire now if it uses what is cleared, or holds what a new interface needs
//   clear   unique kernel resources that a new interface needs: a VNI or port, a device, a MAC address at a host device
//   create  new interfaces under temporary names
//   engine  stop the old engine wire, or replace those of its ends that differ
//   retire  interfaces whose name or addresses a new one takes: down and bare, then renamed
//   dress   final name, addresses, up, routes, neighbours
//   engine  start the new engine wire
//   remove  the rules of old interfaces, which would stay, then the interfaces

import { type EndName, endNames } from '../model/wire.ts';
import { deviceKey } from '../wire/claims.ts';
import { type Action, isLent } from './action.ts';
import { planEngine } from './engine.ts';
import { mutableDifferences, sameBoundDevice, sameInterface } from './parameters.ts';
import {
  type BoundDevice,
  type EngineEnd,
  type EngineState,
  type InterfaceState,
  interfaceEndOf,
  interfaceOf,
  isInterfaceEnd,
  type NameChoice,
  sameNamespace,
  tunnelKey,
  type WireState,
} from './state.ts';

export function plan(observed: WireState, wanted: WireState, names: NameChoice): Action[] {
  const kept = endNames.filter((end) => staysAt(end, observed, wanted));
  const created = wanted.interfaces.filter(({ end }) => !kept.includes(end));
  const gone = observed.interfaces.filter(({ end }) => !kept.includes(end));
  const devices = planDevices(observed, wanted);
  const [before, after] = [tunnelsOf(observed), tunnelsOf({ ...wanted, interfaces: created })];
  const needed = [
    ...after,
    ...devicesOf({ interfaces: created, devices: devices.bound }),
    ...created.flatMap(uplinksOf),
  ];
  const cleared = gone.filter((old) => keysOf(old).some((key) => needed.includes(key)));
  const clearedDevices = devices.released.filter(({ device }) => needed.includes(deviceKey(device.pci)));

  const fresh = created.map((target) => bare(target, names[target.end].fresh));
  const engine = planEngine(engineOf(observed), wanted.engine, fresh);
  const renamed = wanted.interfaces.filter(({ end }) => kept.includes(end) && isRenamed(end, observed, wanted));
  const arriving = [...created, ...renamed];
  const standing = observed.interfaces.filter((old) => !cleared.includes(old));
  const retiring = standing.filter((old) =>
    kept.includes(old.end)
      ? renamed.some(({ end }) => end === old.end)
      : arriving.some(({ namespace }) => sameNamespace(namespace, old.namespace)),
  );
  const retired = retiring.map((old) => bare(old, names[old.end].retired));
  const now = (old: InterfaceState) => retired.find(({ end }) => end === old.end) ?? old;
  const dressed = wanted.interfaces.map((target) => {
    const from = fresh.find(({ end }) => end === target.end) ?? now(interfaceOf(observed, target.end) ?? target);
    return { from, to: { ...target, namespace: from.namespace } };
  });

  // A tunnel that the engine holds and a new interface needs is given up first. The same is true for a port that is cleared, so
  // that undoing makes the port again before the engine wire.
  const handsOver = fresh.some(({ tunnel }) => tunnel && before.includes(tunnelKey(tunnel)));
  const engineFirst = handsOver || usesAny(observed.engine, cleared);

  return [
    ...(engineFirst ? engine.before : []),
    ...takeAway(cleared),
    ...unbind(clearedDevices),
    ...devices.bound.map((device): Action => ({ kind: 'bindDevice', device })),
    ...create(fresh),
    ...(engineFirst ? [] : engine.before),
    ...retiring.flatMap((old) => change(old, now(old))),
    ...dressed.flatMap(({ from, to }) => change(from, to)),
    ...engine.after,
    ...takeAway(gone.filter((old) => !cleared.includes(old)).map(now)),
    ...unbind(devices.released.filter((old) => !clearedDevices.includes(old))),
  ];
}

/** Plans the devices that applications drive. */
function planDevices({ devices: old = [] }: WireState, { devices: wanted = [] }: WireState) {
  const isIn = (all: readonly BoundDevice[], one: BoundDevice) => all.some((other) => sameBoundDevice(one, other));
  return { released: old.filter((one) => !isIn(wanted, one)), bound: wanted.filter((one) => !isIn(old, one)) };
}

export function unbind(devices: readonly BoundDevice[]): Action[] {
  return devices.map((device) => ({ kind: 'unbindDevice', device }));
}

function devicesOf({ interfaces, devices = [] }: WireState): string[] {
  return [...interfaces.flatMap((one) => one.device ?? []), ...devices.map((one) => one.device)].map(({ pci }) =>
    deviceKey(pci),
  );
}

/** The uplink of an interface as a unique resource: a host device allows each MAC address only once. */
function uplinksOf({ uplink }: InterfaceState): string[] {
  return uplink ? ['uplink'] : [];
}

/** The unique kernel resources of an interface. */
function keysOf(one: InterfaceState): string[] {
  const { tunnel, device } = one;
  const keys = [...(tunnel ? [tunnelKey(tunnel)] : []), ...(device ? [deviceKey(device.pci)] : [])];
  return [...keys, ...uplinksOf(one)];
}

export function usesAny(engine: EngineState | undefined, interfaces: readonly InterfaceState[]): boolean {
  const used = engine ? endNames.map((at) => interfaceEndOf(engine[at], at)) : [];
  return interfaces.some(({ end }) => used.includes(end));
}

/** The engine state with the present names of its interfaces: the engine holds devices and does not notice renaming. */
function engineOf({ engine, interfaces }: WireState): EngineState | undefined {
  if (!engine) return undefined;
  const current = (at: EndName): EngineEnd => {
    const end = engine[at];
    const used = interfaces.find((candidate) => candidate.end === interfaceEndOf(end, at));
    return used && isInterfaceEnd(end) ? { ...end, interface: used.name } : end;
  };
  return { ...engine, client: current('client'), endpoint: current('endpoint') };
}

/** The keys of all tunnels, of interfaces and of the engine. */
function tunnelsOf({ interfaces, engine }: WireState): string[] {
  const ends = engine ? endNames.map((end) => engine[end]) : [];
  return [
    ...interfaces.flatMap(({ tunnel }) => (tunnel ? [tunnelKey(tunnel)] : [])),
    ...ends.flatMap((end) => (end.kind === 'tunnel' ? [tunnelKey(end.tunnel)] : [])),
  ];
}

/** Whether an interface can stay. A veth pair stays or is removed as a whole. */
function staysAt(end: EndName, observed: WireState, wanted: WireState): boolean {
  const [old, target] = [interfaceOf(observed, end), interfaceOf(wanted, end)];
  if (!old || !target || !sameInterface(old, target)) return false;
  if (old.kind !== 'veth') return true;
  return endNames.every((either) => {
    const [oldSide, targetSide] = [interfaceOf(observed, either), interfaceOf(wanted, either)];
    return oldSide !== undefined && targetSide !== undefined && sameInterface(oldSide, targetSide);
  });
}

function isRenamed(end: EndName, observed: WireState, wanted: WireState): boolean {
  return interfaceOf(observed, end)?.name !== interfaceOf(wanted, end)?.name;
}

export function bare(state: InterfaceState, name: string): InterfaceState {
  return { ...newborn(state), name };
}

/** The state of an interface that has just been made. */
export function newborn(state: InterfaceState): InterfaceState {
  return { ...state, up: false, addresses: [], routes: [], neighbours: [], policies: [], allowPing: false };
}

function ruleless(state: InterfaceState): InterfaceState {
  return { ...state, policies: [] };
}

function create(fresh: readonly InterfaceState[]): Action[] {
  return eachDevice(
    fresh,
    (client, endpoint) => ({ kind: 'createVethPair', client, endpoint }),
    (one) => ({ kind: isLent(one) ? 'takeDevice' : 'createInterface', interface: one }),
  );
}

/** Removes rules first, because they would remain after their interface. */
export function takeAway(old: readonly InterfaceState[]): Action[] {
  return [...old.flatMap((one) => change(one, ruleless(one))), ...remove(old.map(ruleless))];
}

function remove(old: readonly InterfaceState[]): Action[] {
  return eachDevice(
    old,
    (client, endpoint) => ({ kind: 'removeVethPair', client, endpoint }),
    (one) => ({ kind: isLent(one) ? 'returnDevice' : 'removeInterface', interface: one }),
  );
}

function eachDevice(
  interfaces: readonly InterfaceState[],
  pair: (client: InterfaceState, endpoint: InterfaceState) => Action,
  single: (one: InterfaceState) => Action,
): Action[] {
  const [client, endpoint] = endNames.map((end) => interfaces.find((one) => one.end === end && one.kind === 'veth'));
  return [
    ...(client && endpoint ? [pair(client, endpoint)] : []),
    ...interfaces.filter(({ kind }) => kind !== 'veth').map(single),
  ];
}

export function change(from: InterfaceState, to: InterfaceState): Action[] {
  return mutableDifferences(from, to).length > 0 ? [{ kind: 'changeInterface', from, to }] : [];
}
