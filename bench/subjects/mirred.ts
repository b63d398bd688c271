// SPDX-License-Identifier: Apache-2.0
// The rival mirred: two veth pairs joined by tc's redirect (tc-mirred(8)), as in NSM's kernel forwarder and many CNIs.

import { Absent } from '../harness/measure.ts';
import { type KernelPath, kernelPath, plug } from './kernel.ts';

export function startMirred(): Promise<KernelPath> {
  return kernelPath('mirred', async ({ a, b, middle }) => {
    await plug(a, middle, 'pa');
    await plug(b, middle, 'pb');
    const redirect = ['u32', 'match', 'u32', '0', '0', 'action', 'mirred', 'egress', 'redirect', 'dev'];
    try {
      for (const [from, to] of [
        ['pa', 'pb'],
        ['pb', 'pa'],
      ] as const) {
        await middle.run('tc', 'qdisc', 'add', 'dev', from, 'clsact');
        // u32 instead of matchall, which is a module that small kernels lack; here both match everything.
        await middle.run('tc', 'filter', 'add', 'dev', from, 'ingress', 'protocol', 'all', ...redirect, to);
      }
    } catch (error) {
      throw new Absent(`this kernel has no tc mirred: ${(error as Error).message.trim()}`);
    }
    return {};
  });
}
