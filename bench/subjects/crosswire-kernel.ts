// SPDX-License-Identifier: Apache-2.0
// Crosswire between namespaces: one wire directly, or two wires joined by a memif between them.

import { join } from 'node:path';
import { Daemon, wireDocument } from './crosswire.ts';
import { addressOf, type Ground, type KernelPath, kernelPath } from './kernel.ts';

function kernelEnd(ground: Ground, side: 'a' | 'b'): object {
  return { kernel: { netns: ground[side].path, interface: 'eth0', addresses: [`${addressOf[side]}/24`] } };
}

async function start(ground: Ground, cpu: number, documents: (daemon: Daemon) => readonly object[]): Promise<Daemon> {
  const daemon = await Daemon.start({ cpu });
  ground.own(() => daemon.destroy());
  await daemon.apply(documents(daemon));
  return daemon;
}

/** Two kernel ends: the forwarder touches no frame. */
export function startCrosswireKernel(cpu: number): Promise<KernelPath> {
  return kernelPath('crosswire', async (ground) => {
    const ends = { client: kernelEnd(ground, 'a'), endpoint: kernelEnd(ground, 'b') };
    const daemon = await start(ground, cpu, () => [wireDocument('direct', ends)]);
    await daemon.up('direct');
    return { pid: daemon.process.pid };
  });
}

/** kernel ↔ memif ↔ memif ↔ kernel; without offloads the workloads do segmentation and checksums themselves. */
export function startCrosswireChain(cpu: number, offloads: boolean): Promise<KernelPath> {
  return kernelPath(offloads ? 'crosswire' : 'crosswire, offloads off', async (ground) => {
    const daemon = await start(ground, cpu, ({ directory }) => {
      const memif = (role: string) => ({ memif: { socket: join(directory, 'memif.sock'), role, id: 0 } });
      return [
        wireDocument('left', { client: kernelEnd(ground, 'a'), endpoint: memif('server') }),
        wireDocument('right', { client: memif('client'), endpoint: kernelEnd(ground, 'b') }),
      ];
    });
    await daemon.up('left');
    await daemon.up('right');
    if (!offloads)
      for (const side of [ground.a, ground.b])
        await side.run('ethtool', '-K', 'eth0', 'tso', 'off', 'gso', 'off', 'gro', 'off', 'tx', 'off');
    const { process } = daemon;
    return { pid: process.pid, pause: () => process.pause(), resume: () => process.resume() };
  });
}
