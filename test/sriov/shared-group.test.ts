// SPDX-License-Identifier: Apache-2.0
// The port of the second NIC has no ACS, as on many boards. Devices behind it could reach each other past the
// IOMMU, so the kernel puts all of them into one group, including the physical function, which is in use (pci_device_group() in
// drivers/iommu/iommu.c). No function of the group can be given to an application; all of them can be interfaces.

import { resolve } from 'node:path';
import test from 'ava';
import { devicesInWords } from '../../src/cli/get-devices.ts';
import { openDevices } from '../../src/machine/sriov/open.ts';
import { Namespace } from '../support/namespace.ts';
import { attempt } from '../support/shell.ts';
import { allowed, Forwarder, makeFunctions, netdevOf, nics, wire } from './support/forwarder.ts';
import { reaches } from './support/links.ts';
import { secondNic } from './support/physical-function.ts';

const [, nic] = nics;
const [first, second, third] = ['0000:02:10.0', '0000:02:10.2', '0000:02:10.4'];
/** Any function of either NIC. */
const common = 'lab/common';
let forwarder: Forwarder;
let before: object;
let reason: string;
let a: Namespace;
let b: Namespace;

test.before(async () => {
  await makeFunctions(2, 3);
  const shared = allowed.map((one) => ({ ...one, capabilities: [...one.capabilities, 'common'] }));
  forwarder = await Forwarder.start({ parts: () => ({ allowed: shared }) });
  before = await forwarder.snapshot();
  [a, b] = [await Namespace.make('a'), await Namespace.make('b')];
  const group = secondNic.virtualFunctions[0]?.iommuGroup;
  reason = `its IOMMU group ${group} is shared with ${nic}, which igb drives`;
});
test.after.always(async () => {
  await forwarder?.stop();
  for (const one of [a, b]) await one?.remove();
  await makeFunctions(0);
});
test.afterEach.always(async (t) => {
  await forwarder.supervisor.remove(['w', 'ab']);
  t.deepEqual(await forwarder.snapshot(), before, 'every device is as it was');
});

const application = (pci: string) =>
  wire('w', { vfio: { device: { pci }, mac: '02:00:00:00:00:77' } }, { vlan: { device: netdevOf(nic), id: 7 } });
const interfaces = () =>
  wire(
    'ab',
    { kernel: { netns: a.path, interface: 'nsm-1', addresses: ['10.9.0.1/24'], device: { pci: first, vlan: 9 } } },
    { kernel: { netns: b.path, interface: 'nsm-1', addresses: ['10.9.0.2/24'], device: { pci: second } } },
  );

async function isRefused(pci: string): Promise<{ code?: string; reason?: string }> {
  return forwarder.apply(application(pci)).then(
    ([report]) => report?.error ?? {},
    (error: { code: string; reason: string }) => error,
  );
}

test.serial('its functions, its port and itself are one group, which the kernel gives to no application', async (t) => {
  const [vf] = secondNic.virtualFunctions;
  t.deepEqual(vf?.companions.filter((pci) => pci.startsWith('0000:02')).toSorted(), [nic, first, second, third]);
  await vf?.bind('vfio-pci');
  const { code, stderr } = await attempt(resolve('build/native-tools/vfio_open'), String(vf?.iommuGroup), first);
  t.deepEqual([code, stderr], [1, 'the group is not viable: some of it has another driver\n']);
  await makeFunctions(0);
  await makeFunctions(2, 3);
  before = await forwarder.snapshot();
});

test.serial('refused for an application, with who is in the way; an interface of it is had', async (t) => {
  for (const pci of [first, third]) {
    t.like(await isRefused(pci), { code: 'DEVICE_UNAVAILABLE', reason: `${pci}: ${reason}` });
    t.deepEqual(await forwarder.snapshot(), before);
    t.deepEqual(forwarder.supervisor.list(), []);
  }

  await forwarder.mustApply(interfaces());
  await reaches(a, '10.9.0.2');
  await a.run('ping', '-q', '-c', '3', '-i', '0.2', '-W', '5', '10.9.0.2');
  t.like(await isRefused(third), { code: 'DEVICE_UNAVAILABLE', reason: `${third}: ${reason}` });
  t.deepEqual(
    forwarder.supervisor.list().map(({ name, phase, path }) => [name, phase, path]),
    [['ab', 'up', 'nic']],
  );
});

test.serial(
  'a resource of both NICs: an application gets a function that is alone, though the other has more',
  async (t) => {
    const chosen = (mode: 'kernel' | 'vfio') =>
      forwarder.lender.choose({ client: { choice: { resource: common }, mode, known: undefined } }, () => false);
    t.deepEqual([await chosen('kernel'), await chosen('vfio')], [{ client: first }, { client: '0000:01:10.0' }]);
    const device = { resource: common, vlan: 7 };
    await forwarder.mustApply(wire('w', { vfio: { device } }, { kernel: { netns: b.path, interface: 'nsm-1' } }));
    const { client, endpoint } = forwarder.supervisor.get('w') ?? {};
    t.deepEqual([client?.device, endpoint?.device], ['0000:01:10.0', '0000:01:10.2']);
  },
);

test.serial('`crosswire get devices` says which are for interfaces only, and why', async (t) => {
  const { stateDirectory, dataplane } = forwarder;
  const { inventory } = openDevices({ dataplane, stateDirectory, allowed });
  const list = devicesInWords(await inventory.read());
  t.log(`\n${list}`);
  const rows = list.split('\n').map((line) => line.split(/ {2,}/));
  const seen = (pci: string) => rows.filter(([device]) => device?.startsWith(pci)).map((row) => [row[2], row.at(-1)]);
  t.deepEqual(
    seen('0000:01:10'),
    Array.from({ length: 2 }, () => ['free', '-']),
  );
  t.deepEqual(
    seen('0000:02:10'),
    Array.from({ length: 3 }, () => ['free (kernel only)', `vfio: ${reason}`]),
  );
});
