// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import {
  checkControlGroup,
  controlGroupBelow,
  directoriesOf,
} from '../../../src/machine/device-access/control-group.ts';
import { grantDevices, withdrawDevices } from '../../../src/machine/device-access/device-access.ts';
import { CrosswireError } from '../../../src/model/error.ts';
import { FakeDataplane } from '../../fakes/dataplane.ts';

const vfio = { major: 10, minor: 196 };
const base = { holder: '0000:01:10.0#1', nodes: [vfio] };

async function withGroups(names: readonly string[], body: (root: string) => Promise<void>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'crosswire-groups-'));
  try {
    for (const name of names) await mkdir(join(root, name));
    await body(root);
  } finally {
    await rm(root, { recursive: true });
  }
}

test('control groups: a path is taken literally or not at all', (t) => {
  for (const path of ['/a/b', '/a/*', '/sys/fs/cgroup/kubepods.slice/cri-containerd-0.scope'])
    t.notThrows(() => checkControlGroup(path));
  for (const path of ['', '/', 'a/b', '/a/../b', '/a/./b', '/a//b', '/a/', '/*/b', '/a/\0'])
    t.throws(() => checkControlGroup(path), { code: 'CGROUP_INVALID' }, path);
});

test('control groups: what a peer names stays below the mount', (t) => {
  t.is(controlGroupBelow('/sys/fs/cgroup/devices', '/kubepods/pod1/*'), '/sys/fs/cgroup/devices/kubepods/pod1/*');
  for (const directory of ['', '/', '*', '/*', '../../etc', 'kubepods/../../x', 'kubepods/*/x'])
    t.throws(() => controlGroupBelow('/sys/fs/cgroup/devices', directory), { code: 'CGROUP_INVALID' }, directory);
});

test('control groups: a star stands for the groups directly below, and not for a whole machine', async (t) => {
  await withGroups(['a', 'b'], async (root) => {
    t.deepEqual((await directoriesOf(`${root}/*`)).sort(), [`${root}/a`, `${root}/b`]);
    t.deepEqual(await directoriesOf(`${root}/a/*`), []);
    t.deepEqual(await directoriesOf(`${root}/none/*`), []);
  });
  const many = Array.from({ length: 65 }, (_, index) => `${index}`);
  await withGroups(many, async (root) => {
    await t.throwsAsync(directoriesOf(`${root}/*`), { code: 'CGROUP_INVALID', message: /65 groups/ });
  });
});

test('device grants: bad ones are refused before anything is touched', async (t) => {
  const dataplane = new FakeDataplane();
  dataplane.onStep = () => t.fail('touched');
  const bad = [
    { holder: '' },
    { holder: 'two words' },
    { holder: 'x'.repeat(201) },
    { nodes: [] },
    { nodes: Array.from({ length: 65 }, (_, minor) => ({ major: 1, minor })) },
    { nodes: [{ major: 4096, minor: 0 }] },
    { nodes: [{ major: 1, minor: -1 }] },
    { nodes: [{ major: 1.5, minor: 0 }] },
  ];
  for (const change of bad)
    await t.throwsAsync(grantDevices(dataplane, { ...base, cgroup: '/a', ...change }), { code: 'INVALID_ARGUMENT' });
  await t.throwsAsync(grantDevices(dataplane, { ...base, cgroup: '/a/../b' }), { code: 'CGROUP_INVALID' });
});

test('device grants: what fails in one group is undone in those before it', async (t) => {
  await withGroups(['a', 'b', 'c'], async (root) => {
    const dataplane = new FakeDataplane();
    let steps = 0;
    dataplane.onStep = (step) => {
      if (step === 'grantDevices' && ++steps === 3) throw new Error('power');
    };
    await t.throwsAsync(grantDevices(dataplane, { ...base, cgroup: `${root}/*` }), { message: 'power' });
    t.is(dataplane.deviceGrants.size, 0);
    t.is(steps, 3);
  });
});

test('device grants: a container that ends meanwhile is left out, unless it was the only one', async (t) => {
  await withGroups(['a', 'b'], async (root) => {
    const dataplane = new FakeDataplane();
    const details = { code: 'CGROUP_MISSING', operation: 'open', subject: root, reason: 'gone' };
    let steps = 0;
    dataplane.onStep = () => {
      if (++steps === 1) throw new CrosswireError(details);
    };
    t.is((await grantDevices(dataplane, { ...base, cgroup: `${root}/*` })).length, 1);
    dataplane.onStep = () => {
      throw new CrosswireError(details);
    };
    await t.throwsAsync(grantDevices(dataplane, { ...base, cgroup: `${root}/*` }), { code: 'CGROUP_MISSING' });
  });
});

test('device grants: withdrawing goes on past what fails, and says so', async (t) => {
  await withGroups(['a', 'b'], async (root) => {
    const dataplane = new FakeDataplane();
    const grant = { ...base, cgroup: `${root}/*` };
    await grantDevices(dataplane, grant);
    let steps = 0;
    dataplane.onStep = () => {
      if (++steps === 1) throw new Error('power');
    };
    await t.throwsAsync(withdrawDevices(dataplane, grant), { message: 'power' });
    t.is(dataplane.deviceGrants.size, 1);
    await withdrawDevices(dataplane, grant);
    t.is(dataplane.deviceGrants.size, 0);
  });
});
