// SPDX-License-Identifier: Apache-2.0
// testpmd between a kernel port and a memif, twice, joined by their memifs: DPDK's way to make a mixed wire.

import { join } from 'node:path';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { type KernelPath, kernelPath, plug } from './kernel.ts';
import { startTestpmd } from './testpmd.ts';

export function startTestpmdChain(cpu: number, kind: 'tap' | 'af_packet'): Promise<KernelPath> {
  return kernelPath(`testpmd net_${kind}`, async ({ a, b, middle, own }) => {
    const home = await mkdtemp(join(tmpdir(), 'crosswire-testpmd-'));
    own(() => rm(home, { recursive: true, force: true }));
    const memif = (index: number, role: string) =>
      `net_memif${index},role=${role},id=0,socket=${join(home, 'memif.sock')},socket-abstract=no`;
    const suffix = Math.floor(Math.random() * 1e6).toString(36);
    const [left, right] = kind === 'tap' ? [`cwb${suffix}a`, `cwb${suffix}b`] : ['pa', 'pb'];
    const port = (index: number, name: string | undefined) => `net_${kind}${index},iface=${name}`;
    if (kind === 'af_packet') {
      await plug(a, middle, 'pa');
      await plug(b, middle, 'pb');
      // A packet socket delivers partial checksums and segments that memif cannot carry.
      for (const side of [a, b]) await side.run('ethtool', '-K', 'eth0', 'tx', 'off', 'tso', 'off', 'gso', 'off');
    }
    // Ports in the order of the arguments; io mode forwards between 0 and 1, and between 2 and 3.
    const devices = [port(0, left), memif(0, 'server'), memif(1, 'client'), port(1, right)];
    const testpmd = await startTestpmd({ cpu, devices, within: middle });
    own(() => testpmd.stop('SIGKILL'));
    if (kind === 'tap')
      for (const [name, side] of [
        [left, a],
        [right, b],
      ] as const)
        await middle.run('ip', 'link', 'set', String(name), 'netns', side.name, 'name', 'eth0');
    return { pid: testpmd.pid, pause: () => testpmd.pause(), resume: () => testpmd.resume() };
  });
}
