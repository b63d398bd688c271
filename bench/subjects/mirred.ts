// SPDX-License-Identifier: Apache-2.0
// Two veth pairs joined by tc's redirect (tc-mirred(8)), as NSM's kernel forwarders and many CNIs do.

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
        // u32, because matchall is a module that small kernels lack; both match everything.
        await middle.run('tc', 'filter', 'add', 'dev', from, 'ingress', 'protocol', 'all', ...redirect, to);
      }
    } catch (error) {
      throw new Absent(`this kernel has no tc mirred: ${(error as Error).message.trim()}`);
    }
    return {};
  });
}
