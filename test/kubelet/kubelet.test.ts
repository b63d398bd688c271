// SPDX-License-Identifier: Apache-2.0
// The device plugin with a real kubelet, which `scripts/kubelet` builds. The NIC does not exist: only what kubelet is told
// about it matters.

import { join } from 'node:path';
import { DevicePlugin } from '../../src/kubernetes/device-plugin.ts';
import { TokenPool } from '../../src/kubernetes/tokens.ts';
import { testWith } from '../support/requires.ts';
import { eventually } from '../support/shell.ts';
import { KubernetesNode } from './support/node.ts';

const fast = 'worker.domain/10G';
const intel = 'worker.domain/intel';

testWith(['root', 'kubelet'], 'pods get tokens, keep them over a restart of kubelet, and give them back', async (t) => {
  t.timeout(300_000);
  const node = await KubernetesNode.start();
  t.teardown(() => node.stop());
  const pool = new TokenPool([{ pci: '0000:01:00.0', resources: [fast, intel], virtualFunctions: 2 }]);
  const offered: string[] = [];
  const log = { info: (_: object, text: string) => void offered.push(text), warn: () => {} };
  const plugin = new DevicePlugin({
    pool,
    directory: join(node.directory, 'device-plugins'),
    podResourcesSocket: join(node.directory, 'pod-resources/kubelet.sock'),
    pollMilliseconds: 5_000,
    log,
  });
  t.teardown(() => plugin.close());
  await plugin.start();
  t.is(offered.length, 2);

  node.run('first', fast, 1);
  const token = (await node.environment('first')).get(`NSM_SRIOV_TOKENS_${fast}`) ?? '';
  t.deepEqual(pool.allocated(fast), [token]);

  node.restartKubelet();
  await eventually('both resources are offered again', async () => offered.length === 4, 60_000);
  t.deepEqual(pool.allocated(fast), [token]);

  // A VF that a wire file took: one token of each resource is closed, and not the one that a pod has.
  pool.setUses([{ pci: '0000:01:10.0', physicalFunction: '0000:01:00.0' }]);
  t.true(pool.tokens(fast).some(({ id, healthy }) => id === token && healthy));
  node.run('second', intel, 1);
  const second = (await node.environment('second')).get(`NSM_SRIOV_TOKENS_${intel}`) ?? '';
  t.true(pool.tokens(intel).some(({ id, healthy }) => id === second && healthy));

  node.remove('first');
  node.remove('second');
  await eventually(
    'no token is with a pod',
    async () => pool.allocated(fast).length + pool.allocated(intel).length === 0,
    60_000,
  );
});
