// SPDX-License-Identifier: Apache-2.0
// The common part of all paths from one namespace to another.
//   a: eth0 10.99.0.1 ── something ── b: eth0 10.99.0.2

import { Namespace } from '../harness/namespace.ts';

export const addressOf = { a: '10.99.0.1', b: '10.99.0.2' } as const;

export interface KernelPath {
  readonly name: string;
  readonly a: Namespace;
  readonly b: Namespace;
  /** Stops the forwarding process while another is measured. */
  pause(): void;
  resume(): void;
  /** The process that forwards, if there is one. */
  readonly pid?: number;
  stop(): Promise<void>;
}

export interface Ground {
  readonly a: Namespace;
  readonly b: Namespace;
  readonly middle: Namespace;
  readonly own: (release: () => unknown) => void;
}

export interface Laid {
  readonly pause?: () => void;
  readonly resume?: () => void;
  readonly pid?: number;
}

/** Makes the namespaces and lets `lay` connect them; everything is removed in reverse order. */
export async function kernelPath(name: string, lay: (ground: Ground) => Promise<Laid>): Promise<KernelPath> {
  const releases: (() => unknown)[] = [];
  const own = (release: () => unknown) => void releases.push(release);
  const stop = async () => {
    for (const release of releases.splice(0).toReversed()) await release();
  };
  const namespace = async (label: string) => {
    const made = await Namespace.make(label);
    own(() => made.remove());
    return made;
  };
  try {
    const [a, b, middle] = [await namespace('a'), await namespace('b'), await namespace('m')];
    const laid = await lay({ a, b, middle, own });
    for (const [side, at] of [
      [a, addressOf.a],
      [b, addressOf.b],
    ] as const) {
      const given = await side.run('ip', '-o', 'address', 'show', 'dev', 'eth0');
      if (!given.includes(at)) await side.run('ip', 'address', 'add', `${at}/24`, 'dev', 'eth0');
      await side.run('ip', 'link', 'set', 'eth0', 'up');
    }
    await a.run('ping', '-q', '-c', '1', '-w', '10', addressOf.b);
    const { pause = () => {}, resume = () => {}, pid } = laid;
    return { name, a, b, pause, resume, stop, ...(pid === undefined ? {} : { pid }) };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Makes a veth pair: eth0 in `side`, and its peer `port` in `middle`. */
export async function plug(side: Namespace, middle: Namespace, port: string): Promise<void> {
  await side.run('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', port, 'netns', middle.name);
  await side.run('ip', 'link', 'set', 'eth0', 'up');
  await middle.run('ip', 'link', 'set', port, 'up');
}
