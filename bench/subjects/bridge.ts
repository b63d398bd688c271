// SPDX-License-Identifier: Apache-2.0
// The rival bridge: two veth pairs joined by a Linux bridge.

import { type KernelPath, kernelPath, plug } from './kernel.ts';

export function startBridge(): Promise<KernelPath> {
  return kernelPath('bridge', async ({ a, b, middle }) => {
    await plug(a, middle, 'pa');
    await plug(b, middle, 'pb');
    await middle.run('ip', 'link', 'add', 'br0', 'type', 'bridge');
    for (const port of ['pa', 'pb']) await middle.run('ip', 'link', 'set', port, 'master', 'br0');
    await middle.run('ip', 'link', 'set', 'br0', 'up');
    return {};
  });
}
