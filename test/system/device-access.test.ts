// SPDX-License-Identifier: Apache-2.0
// Grants device nodes to processes of control groups, for every cgroup version that this machine has.

import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { NativeDataplane } from '../../src/dataplane/dataplane.ts';
import { grantDevices, withdrawDevices } from '../../src/machine/device-access/device-access.ts';
import type { DeviceGrant } from '../../src/machine/device-access/device-grant.ts';
import { ControlGroup, deviceHierarchies, type Hierarchy } from '../support/control-group.ts';
import { testWith } from '../support/requires.ts';

const full = { major: 1, minor: 7 };
const zero = { major: 1, minor: 5 };

// The record is on the group itself, so that another process can withdraw a grant.
const dataplane = () => new NativeDataplane();
const journalled = (grant: DeviceGrant) => JSON.parse(JSON.stringify(grant)) as DeviceGrant;

for (const hierarchy of deviceHierarchies()) {
  const title = (what: string) => `device access, control groups of version ${hierarchy.version}: ${what}`;
  const withPod = (what: string, body: (t: ExecutionContext, pod: Pod) => Promise<void>) =>
    testWith(['root', 'device-groups'], title(what), async (t) => {
      const pod = await Pod.make(hierarchy);
      try {
        await body(t, pod);
      } finally {
        pod.remove();
      }
    });

  withPod('all containers of a pod, twice, and withdrawn by another process after a restart', async (t, pod) => {
    const grant = { cgroup: pod.containers, holder: '0000:01:10.0#1', nodes: [full] };
    t.deepEqual(await pod.opens('/dev/full'), [false, false]);
    for (const changed of [true, false]) {
      const granted = await grantDevices(dataplane(), grant);
      t.deepEqual(granted.map((one) => one.directory).sort(), pod.paths);
      for (const one of granted) t.like(one, { version: hierarchy.version, opened: [full], changed });
    }
    t.deepEqual(await pod.opens('/dev/full'), [true, true]);
    t.deepEqual(await pod.opens('/dev/zero'), [false, false]);
    for (let round = 0; round < 2; round++) await withdrawDevices(dataplane(), journalled(grant));
    t.deepEqual(await pod.opens('/dev/full'), [false, false]);
  });

  withPod('two wires share /dev/vfio/vfio: the first that goes leaves it to the other', async (t, pod) => {
    const cgroup = pod.paths[0] as string;
    const first = { cgroup, holder: 'wire-1/client', nodes: [full, zero] };
    const second = { cgroup, holder: 'wire-2/client', nodes: [full] };
    await Promise.all([grantDevices(dataplane(), first), grantDevices(dataplane(), second)]);
    await withdrawDevices(dataplane(), first);
    t.deepEqual(await pod.opens('/dev/full'), [true, false]);
    t.deepEqual(await pod.opens('/dev/zero'), [false, false]);
    await withdrawDevices(dataplane(), second);
    t.deepEqual(await pod.opens('/dev/full'), [false, false]);
  });

  withPod('a group that is gone needs nothing, and its successor inherits nothing', async (t, pod) => {
    const grant = { cgroup: pod.paths[0] as string, holder: 'wire-1/client', nodes: [full] };
    await grantDevices(dataplane(), grant);
    pod.groups[1]?.remove();
    await t.throwsAsync(grantDevices(dataplane(), { ...grant, cgroup: join(grant.cgroup, 'none') }), {
      message: /No such file/,
    });
    await withdrawDevices(dataplane(), { ...grant, cgroup: join(grant.cgroup, 'none') });
    pod.groups[1] = new ControlGroup({ ...hierarchy, mount: pod.root.path }, 'a');
    await pod.groups[1].confine('1:3');
    await withdrawDevices(dataplane(), grant);
    t.deepEqual(await pod.opens('/dev/full'), [false, false]);
  });
}

test('device access: where there are no control groups', async (t) => {
  const grant = { cgroup: '/tmp', holder: 'a', nodes: [full] };
  await t.throwsAsync(grantDevices(dataplane(), grant), { code: 'CGROUP_INVALID', message: /it is none/ });
  const elsewhere = { ...grant, cgroup: '/nowhere/*' };
  await t.throwsAsync(grantDevices(dataplane(), elsewhere), { code: 'CGROUP_MISSING' });
  await t.notThrowsAsync(withdrawDevices(dataplane(), elsewhere));
});

/** A group with two groups in it, each restricted; the group above denies nothing. */
class Pod {
  readonly root: ControlGroup;
  readonly groups: ControlGroup[];

  private constructor(hierarchy: Hierarchy) {
    this.root = new ControlGroup(hierarchy);
    this.groups = [
      this.root,
      ...['a', 'b'].map((name) => new ControlGroup({ ...hierarchy, mount: this.root.path }, name)),
    ];
  }

  static async make(hierarchy: Hierarchy): Promise<Pod> {
    const pod = new Pod(hierarchy);
    for (const group of pod.#containers) await group.confine('1:3');
    return pod;
  }

  get containers(): string {
    return join(this.root.path, '*');
  }

  get paths(): string[] {
    return this.#containers.map(({ path }) => path);
  }

  async opens(device: string): Promise<boolean[]> {
    return Promise.all(this.#containers.map((group) => group.opens(device)));
  }

  remove(): void {
    for (const group of this.groups.toReversed()) group.remove();
  }

  get #containers(): ControlGroup[] {
    return this.groups.slice(1);
  }
}
