// SPDX-License-Identifier: Apache-2.0
// A FAKE of changeInterface: one batch of changes on one interface, in the order of the contract. Part of FakeDataplane.

import { isDeepStrictEqual } from 'node:util';
import type { InterfaceChange } from '../../src/dataplane/types.ts';
import { type FakeInterface, type FakeKernel, refusal } from './kernel.ts';

export function changeFakeInterface(
  kernel: FakeKernel,
  one: FakeInterface,
  change: InterfaceChange,
  onStep: (step: string) => void,
): void {
  const step = (name: string, wanted: unknown, perform: () => void) => {
    if (wanted === undefined || (Array.isArray(wanted) && wanted.length === 0)) return;
    onStep(name);
    perform();
  };
  const { rename, mtu, mac, up } = change;
  step('remove neighbours', change.removeNeighbours, () => remove(one.neighbours, change.removeNeighbours));
  step('remove routes', change.removeRoutes, () => remove(one.routes, change.removeRoutes));
  step('remove addresses', change.removeAddresses, () => {
    remove(one.addresses, change.removeAddresses);
    const hasFamily = (colon: boolean) => one.addresses.some((address) => address.includes(':') === colon);
    one.routes = one.routes.filter(({ to }) => hasFamily(to.includes(':'))); // like the kernel: no routes without an address
  });
  step('rename', rename, () => kernel.rename(one, rename ?? one.name));
  step('set the mtu', mtu, () => void (one.mtu = mtu ?? one.mtu));
  step('set the mac', mac, () => {
    one.mac = mac ?? one.mac;
    one.neighbours = []; // like the kernel
  });
  step('allow ping', change.allowPing, () => void (one.allowsPing = true));
  step('add addresses', change.addAddresses, () => add(one.addresses, change.addAddresses));
  step('set up or down', up, () => kernel.setUp(one, up ?? one.up));
  step('add routes', change.addRoutes, () => {
    if (!one.up) throw refusal('ROUTE_REFUSED', one.name, 'Network is down', 100);
    add(one.routes, change.addRoutes);
  });
  step('add neighbours', change.addNeighbours, () => add(one.neighbours, change.addNeighbours));
  if (change.policies === undefined) return;
  onStep('set policies');
  one.policies = change.policies;
}

function add<T>(list: T[], values: readonly T[] = []): void {
  for (const value of values) if (!list.some((there) => isDeepStrictEqual(there, value))) list.push(value);
}

function remove<T>(list: T[], values: readonly T[] = []): void {
  for (const value of values) {
    const at = list.findIndex((there) => isDeepStrictEqual(there, value));
    if (at >= 0) list.splice(at, 1);
  }
}
