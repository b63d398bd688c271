// SPDX-License-Identifier: Apache-2.0
// A function for an application that drives it itself. Needs an IOMMU.

import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import test from 'ava';
import { ControlGroup, deviceHierarchies } from '../support/control-group.ts';
import { Background, eventually, run } from '../support/shell.ts';
import { driverOf, Forwarder, makeFunctions, netdevOf, nics, wire } from './support/forwarder.ts';

const tool = resolve('build/native-tools/vfio_open');
const own = '0000:01:10.0';
let forwarder: Forwarder;
let before: object;

test.before(async () => {
  execFileSync('modprobe', ['-a', 'vfio-pci', 'vfio_iommu_type1']);
  await makeFunctions(2);
  forwarder = await Forwarder.start();
  before = await forwarder.snapshot();
});
test.after.always(async () => {
  await forwarder?.stop();
  await makeFunctions(0);
});
test.afterEach.always(async (t) => {
  await forwarder.supervisor.remove(['w']);
  t.deepEqual(await forwarder.snapshot(), before, 'every device is as it was');
});

const spec = (more: object = {}) =>
  wire(
    'w',
    { vfio: { device: { pci: own, vlan: 7 }, ...more } },
    {
      vlan: { device: netdevOf(nics[0]), id: 7 },
    },
  );

test.serial('the group is bound, its nodes are told, an application opens it, and nothing is left', async (t) => {
  await forwarder.mustApply(spec({ mac: '02:00:00:00:00:77' }));
  t.is(driverOf(own), 'vfio-pci');
  const status = forwarder.supervisor.get('w')?.client;
  t.like(status, { up: true, device: own, mac: '02:00:00:00:00:77' });
  const { rdev } = statSync(`/dev/vfio/${status?.iommuGroup}`);
  const node = status?.deviceNodes?.group;
  t.is(((node?.major ?? 0) << 8) | (node?.minor ?? 0), rdev);
  t.regex(await run(tool, String(status?.iommuGroup), own), /^open, region 0 has \d+ bytes/);
  t.is((await forwarder.mustApply(spec({ mac: '02:00:00:00:00:77' })))[0]?.outcome, 'unchanged');
  const told = await forwarder.dataplane.readVirtualFunctions('', netdevOf(nics[0]));
  t.like(told[0], { mac: '02:00:00:00:00:77', vlan: 7 });
  await forwarder.supervisor.remove(['w']);
  t.false(existsSync(`/dev/vfio/${status?.iommuGroup}`));
  t.is(driverOf(own), 'igbvf');
});

test.serial(
  'while an application has it open, it is not torn from it: the wire stays to be removed, and then is',
  async (t) => {
    await forwarder.mustApply(spec());
    const group = String(forwarder.supervisor.get('w')?.client.iommuGroup);
    const application = new Background(tool, [group, own, 'keep']);
    await application.says('open', 30_000);
    const [report] = await forwarder.supervisor.remove(['w']);
    t.is(report?.outcome, 'failed');
    t.is(report?.errors[0]?.code, 'DEVICE_BUSY');
    t.is(driverOf(own), 'vfio-pci');
    await application.stop('SIGKILL');
    await eventually('it is taken home by itself', async () => forwarder.supervisor.get('w') === undefined);
  },
);

for (const hierarchy of deviceHierarchies()) {
  test.serial(
    `its nodes may be opened from the control group of the wire, version ${hierarchy.version}, for as long`,
    async (t) => {
      const pod = new ControlGroup(hierarchy);
      try {
        await pod.confine('1:3');
        t.false(await pod.opens('/dev/vfio/vfio'));
        await forwarder.mustApply(spec({ cgroup: pod.path }));
        const group = forwarder.supervisor.get('w')?.client.iommuGroup;
        t.true(await pod.opens('/dev/vfio/vfio'));
        t.true(await pod.opens(`/dev/vfio/${group}`));
        await forwarder.supervisor.remove(['w']);
        t.false(await pod.opens('/dev/vfio/vfio'));
      } finally {
        pod.remove();
      }
    },
  );
}
