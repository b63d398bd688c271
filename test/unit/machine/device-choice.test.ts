// SPDX-License-Identifier: Apache-2.0
// The choice of devices for the two ends of a wire.

import test from 'ava';
import { chooseDevices } from '../../../src/machine/sriov/device-choice.ts';
import type { DeviceReport, DeviceStatus } from '../../../src/model/device-status.ts';

/** Two NICs with two functions each; `domains`: their service domains. */
function machine(domains: readonly [string, string] = ['one', 'one'], held: readonly string[] = []): DeviceReport {
  const parents = ['0000:01:00.0', '0000:02:00.0'] as const;
  const devices = parents.flatMap((physicalFunction, at) =>
    ['10.0', '10.2'].map((function_, index): DeviceStatus => {
      const pci = `${physicalFunction.slice(0, 8)}${function_}`;
      const holder = { pci, wire: 'w', end: 'client', state: 'held' } as const;
      const resources = [`${domains[at]}/10G`];
      const common = { pci, physicalFunction, index, driver: 'igbvf', resources, refusals: {} };
      return held.includes(pci) ? { ...common, state: 'leased', holder } : { ...common, state: 'free' };
    }),
  );
  const physicalFunctions = parents.map((pci, at) => {
    const resources = [`${domains[at]}/10G`];
    return { pci, interface: `eth${at}`, up: true, present: 2, possible: 7, resources };
  });
  return { physicalFunctions, devices, lost: [] };
}

const none = () => false;
const mode = 'kernel';
const beside = { choice: 'beside', mode } as const;
const at = (pci: string) => ({ choice: { pci }, mode }) as const;
const of = (resource: string) => ({ choice: { resource }, mode }) as const;

test('the end without a device gets a second one of the same NIC, whichever end it is', (t) => {
  const devices = { client: '0000:02:10.2', endpoint: '0000:02:10.0' };
  t.deepEqual(chooseDevices(machine(), { client: at('0000:02:10.2'), endpoint: beside }, none), devices);
  t.deepEqual(chooseDevices(machine(), { client: beside, endpoint: at('0000:02:10.0') }, none), devices);
});

test('what was chosen before stays, though it is lent: to this wire', (t) => {
  const [client, endpoint] = ['0000:02:10.2', '0000:02:10.0'] as const;
  const wants = { client: { ...of('one/10G'), known: client }, endpoint: { ...beside, known: endpoint } };
  t.deepEqual(chooseDevices(machine(undefined, [client, endpoint]), wants, none), { client, endpoint });
  const elsewhere = { client: { ...of('one/10G'), known: client }, endpoint: { ...beside, known: '0000:01:10.0' } };
  t.deepEqual(chooseDevices(machine(undefined, [client]), elsewhere, none), { client, endpoint });
});

test('two NICs are joined by a service domain, or not at all', (t) => {
  const wants = { client: at('0000:01:10.0'), endpoint: at('0000:02:10.0') };
  t.deepEqual(Object.values(chooseDevices(machine(), wants, none)), ['0000:01:10.0', '0000:02:10.0']);
  const apart = machine(['one', 'two']);
  t.throws(() => chooseDevices(apart, wants, none), { code: 'ENDS_UNJOINED', message: /no service domain joins/ });
  const open = { client: of('one/10G'), endpoint: of('one/10G') };
  t.deepEqual(Object.values(chooseDevices(apart, open, none)).toSorted(), ['0000:01:10.0', '0000:01:10.2']);
});

test('opposite a network, the device is behind that port', (t) => {
  t.deepEqual(chooseDevices(machine(), { client: { ...of('one/10G'), port: 'eth1' } }, none), {
    client: '0000:02:10.0',
  });
  const wants = { client: { ...at('0000:01:10.0'), port: 'eth1' } };
  t.throws(() => chooseDevices(machine(), wants, none), {
    code: 'ENDS_UNJOINED',
    message: /not a virtual function of eth1/,
  });
});

test('refused, with the reason: a physical function, nothing there, none free, one that is lent or promised', (t) => {
  const refused = (report: DeviceReport, pci: string, code: string, message: RegExp, isTaken = none as () => boolean) =>
    t.throws(() => chooseDevices(report, { client: at(pci) }, isTaken), { code, message });
  refused(machine(), '0000:01:00.0', 'DEVICE_UNAVAILABLE', /it is eth0 itself, a physical function/);
  refused(machine(), '0000:09:00.0', 'DEVICE_MISSING', /no virtual function of a NIC at that address/);
  refused(machine(undefined, ['0000:01:10.0']), '0000:01:10.0', 'DEVICE_UNAVAILABLE', /leased to client of wire w/);
  refused(machine(), '0000:01:10.0', 'DEVICE_UNAVAILABLE', /promised to another wire/, () => true);
  const all = machine(undefined, ['0000:01:10.2']);
  t.throws(() => chooseDevices(all, { client: at('0000:01:10.0'), endpoint: beside }, none), {
    code: 'DEVICE_UNAVAILABLE',
    message: /second device beside.*0000:01:10.2: it is leased/,
  });
});
