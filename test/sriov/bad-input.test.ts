// SPDX-License-Identifier: Apache-2.0
// Impossible requests are refused with the reason, and nothing is changed.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import test from 'ava';
import { Namespace } from '../support/namespace.ts';
import { Forwarder, makeFunctions, netdevOf, nics, wire } from './support/forwarder.ts';

let forwarder: Forwarder;
let a: Namespace;
let b: Namespace;

test.before(async () => {
  await makeFunctions(2);
  forwarder = await Forwarder.start();
  [a, b] = [await Namespace.make('a'), await Namespace.make('b')];
});
test.after.always(async () => {
  await forwarder?.stop();
  for (const one of [a, b]) await one?.remove();
  await makeFunctions(0);
});

const ip = (...args: string[]) => execFileSync('ip', args);
const own = '0000:01:10.0';
const spec = (device: object, other: object = { vlan: { device: netdevOf(nics[0]), id: 7 } }) =>
  wire('w', { kernel: { netns: a.path, interface: 'nsm-1', device } }, other);

interface Refusal {
  readonly title: string;
  readonly document: () => object;
  readonly code: string;
  readonly reason: RegExp;
  /** Creates the situation, and undoes it. */
  readonly make?: () => void;
  readonly unmake?: () => unknown;
}

const nic = () => netdevOf(nics[0]);
const refusals: readonly Refusal[] = [
  {
    title: 'nothing at the address',
    document: () => spec({ pci: '0000:7f:00.0' }),
    code: 'DEVICE_MISSING',
    reason: /no virtual function/,
  },
  {
    title: 'no NIC',
    document: () => spec({ pci: '0000:00:00.0' }),
    code: 'DEVICE_MISSING',
    reason: /no virtual function/,
  },
  {
    title: 'a physical function',
    document: () => spec({ pci: nics[0] }),
    code: 'DEVICE_UNAVAILABLE',
    reason: /a physical function/,
  },
  {
    title: 'one that the host has an address on',
    document: () => spec({ pci: own }),
    code: 'DEVICE_UNAVAILABLE',
    reason: /the host uses it.*192\.0\.2\.9/,
    make: () => ip('address', 'add', '192.0.2.9/24', 'dev', netdevOf(own)),
    unmake: () => ip('address', 'flush', 'dev', netdevOf(own)),
  },
  {
    title: 'one that the host routes through',
    document: () => spec({ pci: own }),
    code: 'DEVICE_UNAVAILABLE',
    reason: /the host uses it: a route/,
    make: () => {
      ip('link', 'set', netdevOf(own), 'up');
      ip('route', 'add', '198.51.100.0/24', 'dev', netdevOf(own));
    },
    unmake: () => ip('link', 'set', netdevOf(own), 'down'),
  },
  {
    title: 'a resource that no file names',
    document: () => spec({ resource: 'lab/nic0' }),
    code: 'DEVICE_MISSING',
    reason: /no NIC of the SR-IOV file/,
  },
  {
    title: 'two NICs that nothing joins',
    document: () => spec({ pci: own }, { kernel: { netns: b.path, interface: 'x', device: { pci: '0000:02:10.0' } } }),
    code: 'ENDS_UNJOINED',
    reason: /two NICs that no service domain joins/,
  },
  {
    title: 'a network behind another port',
    document: () => spec({ pci: own }, { vlan: { device: netdevOf(nics[1]), id: 7 } }),
    code: 'ENDS_UNJOINED',
    reason: /not a virtual function of eth1/,
  },
  {
    title: 'fewer functions than ends',
    document: () =>
      wire(
        'w',
        { kernel: { netns: a.path, interface: 'x', device: { pci: own } } },
        { kernel: { netns: b.path, interface: 'x' } },
      ),
    code: 'DEVICE_MISSING',
    reason: /no other virtual function/,
    make: () => {
      writeFileSync(`/sys/bus/pci/devices/${nics[0]}/sriov_numvfs`, '0');
      writeFileSync(`/sys/bus/pci/devices/${nics[0]}/sriov_numvfs`, '1');
    },
    unmake: () => makeFunctions(2),
  },
  {
    title: 'a physical function that is down',
    document: () => spec({ pci: own }),
    code: 'DEVICE_UNAVAILABLE',
    reason: /the interface of its physical function, eth0, is down/,
    make: () => ip('link', 'set', nic(), 'down'),
    unmake: () => ip('link', 'set', nic(), 'up'),
  },
];

for (const { title, document, code, reason, make, unmake } of refusals) {
  test.serial(`refused: ${title}`, async (t) => {
    make?.();
    try {
      const before = await forwarder.snapshot();
      const error = await forwarder.apply(document()).then(
        ([report]) => report?.error,
        (refused: unknown) => refused as { code: string; reason: string },
      );
      t.is(error?.code, code, JSON.stringify(error));
      t.regex(error?.reason ?? '', reason);
      t.deepEqual(await forwarder.snapshot(), before);
      t.deepEqual(forwarder.supervisor.list(), []);
    } finally {
      await unmake?.();
    }
  });
}

test.serial('a setting that the NIC refuses and the wire can do without is a warning that names it', async (t) => {
  const before = await forwarder.snapshot();
  await forwarder.mustApply(spec({ pci: own, maxRate: 100_000, trust: true }));
  t.like(forwarder.supervisor.health()[0], { code: 'DEVICE_ATTRIBUTE_REFUSED', severity: 'warning', wire: 'w' });
  t.regex(forwarder.supervisor.health()[0]?.text ?? '', /maxRate 100000 was refused by eth0/);
  t.log(forwarder.supervisor.health()[0]?.text);
  await forwarder.supervisor.remove(['w']);
  t.deepEqual(await forwarder.snapshot(), before);
});

test.serial('functions taken away under a lease: the wire says so, and its end forgets the device', async (t) => {
  await forwarder.mustApply(spec({ pci: own }));
  writeFileSync(`/sys/bus/pci/devices/${nics[0]}/sriov_numvfs`, '0');
  const [report] = await forwarder.supervisor.remove(['w']);
  t.deepEqual(report, { name: 'w', outcome: 'removed', errors: [] });
  t.deepEqual(((await forwarder.snapshot()) as { leases: string[] }).leases, []);
  await makeFunctions(2);
});
