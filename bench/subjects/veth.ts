// SPDX-License-Identifier: Apache-2.0
// The rival veth: a plain veth pair, the upper limit of a kernel between two namespaces.

import { type KernelPath, kernelPath } from './kernel.ts';

export function startVeth(): Promise<KernelPath> {
  return kernelPath('veth', async ({ a, b }) => {
    await a.run('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', b.name);
    return {};
  });
}
