// SPDX-License-Identifier: Apache-2.0

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { DevicePlugin } from '../../../src/kubernetes/device-plugin.ts';
import { TokenPool } from '../../../src/kubernetes/tokens.ts';
import { FakeKubelet } from '../../fakes/kubelet.ts';
import { eventually } from '../../support/shell.ts';

const resource = 'worker.domain/10G';
const twoVfs = [{ pci: '0000:01:00.0', resources: [resource, 'worker.domain/intel'], virtualFunctions: 2 }];

interface Parts {
  readonly kubelet: FakeKubelet;
  readonly pool: TokenPool;
  readonly plugin: DevicePlugin;
  readonly complaints: unknown[];
}

function partsFor(t: ExecutionContext, pollMilliseconds = 60_000): Parts {
  const kubelet = new FakeKubelet();
  const pool = new TokenPool(twoVfs);
  const complaints: unknown[] = [];
  const log = { info: () => {}, warn: (fields: object) => void complaints.push(fields) };
  const { directory, podResourcesSocket } = kubelet;
  const plugin = new DevicePlugin({ pool, directory, podResourcesSocket, pollMilliseconds, log });
  t.teardown(async () => {
    await plugin.close();
    kubelet.close();
  });
  return { kubelet, pool, plugin, complaints };
}

const listed = (kubelet: FakeKubelet, count: number) =>
  eventually('kubelet has the list', async () => kubelet.healthy(resource).length === count);

test('every resource is registered, and every device listed', async (t) => {
  const { kubelet, plugin } = partsFor(t);
  await kubelet.start();
  await plugin.start();
  t.deepEqual(
    kubelet.registrations.map(({ resourceName, version }) => [resourceName, version]),
    [
      [resource, 'v1beta1'],
      ['worker.domain/intel', 'v1beta1'],
    ],
  );
  await listed(kubelet, 2);
});

test('an allocation names the tokens as NSM reads them', async (t) => {
  const { kubelet, pool, plugin } = partsFor(t);
  await kubelet.start();
  await plugin.start();
  await listed(kubelet, 2);
  const ids = kubelet.healthy(resource);
  const { containerResponses } = await kubelet.allocate(resource, ...ids);
  t.deepEqual(containerResponses, [{ envs: { [`NSM_SRIOV_TOKENS_${resource}`]: ids.join(',') } }]);
  t.deepEqual(pool.allocated(resource), ids);
  await t.throwsAsync(kubelet.allocate(resource, 'sriov-unknown'), { message: /no such token/ });
});

test('a VF that is taken shows at once', async (t) => {
  const { kubelet, pool, plugin } = partsFor(t);
  await kubelet.start();
  await plugin.start();
  await listed(kubelet, 2);
  pool.setUses([{ pci: '0000:01:10.0', physicalFunction: '0000:01:00.0' }]);
  await listed(kubelet, 1);
  pool.setUses([]);
  await listed(kubelet, 2);
  t.is(kubelet.registrations.length, 2);
});

test('VFs that are leased already are counted before the first list', async (t) => {
  const { kubelet, pool, plugin } = partsFor(t);
  pool.setUses([{ pci: '0000:01:10.0', physicalFunction: '0000:01:00.0' }]);
  await kubelet.start();
  await plugin.start();
  await listed(kubelet, 1);
  t.true(kubelet.lists(resource).every((list) => list.size === 2));
});

test('kubelet may come later, and come back', async (t) => {
  const { kubelet, plugin, complaints } = partsFor(t);
  await plugin.start();
  t.like(complaints[0], { error: { code: 'KUBELET_UNREACHABLE' } });
  await kubelet.start();
  await eventually('both are registered', async () => kubelet.registrations.length === 2);
  await listed(kubelet, 2);
  kubelet.stop();
  await kubelet.start();
  await eventually('both are registered again', async () => kubelet.registrations.length === 4);
  await listed(kubelet, 2);
});

test('what pods have from before is allocated again', async (t) => {
  const { kubelet, pool, plugin } = partsFor(t);
  const id = 'sriov-01234567-89ab-4def-8123-456789abcdef';
  kubelet.given.set(resource, [id]);
  await kubelet.start();
  await plugin.start();
  t.deepEqual(pool.allocated(resource), [id]);
  await eventually('it is listed', async () => kubelet.healthy(resource).includes(id));
});

test('a token is free again when no pod has had it for a while', async (t) => {
  const { kubelet, pool, plugin } = partsFor(t, 50);
  await kubelet.start();
  await plugin.start();
  await listed(kubelet, 2);
  const [id = ''] = kubelet.healthy(resource);
  kubelet.given.set(resource, [id]);
  await kubelet.allocate(resource, id);
  kubelet.given.clear();
  await eventually('it is free', async () => pool.allocated(resource).length === 0);
  t.is(kubelet.healthy(resource).length, 2);
});

test('no socket of ours is left', async (t) => {
  const { kubelet, plugin } = partsFor(t);
  await kubelet.start();
  await plugin.start();
  t.is(readdirSync(kubelet.directory).filter((name) => name.startsWith('crosswire-')).length, 2);
  await plugin.close();
  t.deepEqual(
    readdirSync(kubelet.directory).filter((name) => name.startsWith('crosswire-')),
    [],
    join(kubelet.directory),
  );
});
