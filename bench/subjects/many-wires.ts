// SPDX-License-Identifier: Apache-2.0
// A daemon with many wires without traffic.

import { join } from 'node:path';
import { Namespace } from '../harness/namespace.ts';
import { Daemon, wireDocument } from './crosswire.ts';

const perNamespace = 100;

export interface Crowd {
  readonly daemon: Daemon;
  readonly kernelWire: (number: number) => object;
  readonly memifWire: (number: number) => object;
  /** Makes the wires, some at a time. */
  apply(documents: readonly object[]): Promise<void>;
  destroy(): Promise<void>;
}

/** Makes the namespaces for `kernelWires`, a hundred wires in each pair of namespaces. */
export async function startCrowd(cpu: number, kernelWires: number): Promise<Crowd> {
  const namespaces: Namespace[] = [];
  const removeNamespaces = async () => {
    for (const namespace of namespaces) await namespace.remove();
  };
  try {
    for (let i = 0; i < 2 * Math.ceil(kernelWires / perNamespace); i++) namespaces.push(await Namespace.make(`n${i}`));
    const daemon = await Daemon.start({ cpu });
    const kernel = (number: number, side: number) => {
      const namespace = namespaces[2 * Math.floor(number / perNamespace) + side];
      if (!namespace) throw new Error(`there is no namespace for wire ${number}`);
      return { kernel: { netns: namespace.path, interface: `w${number}` } };
    };
    const memif = (id: number) => ({ memif: { socket: join(daemon.directory, 'crowd.sock'), role: 'server', id } });
    return {
      daemon,
      kernelWire: (number) =>
        wireDocument(`kernel-${number}`, { client: kernel(number, 0), endpoint: kernel(number, 1) }),
      memifWire: (number) =>
        wireDocument(`memif-${number}`, { client: memif(2 * number), endpoint: memif(2 * number + 1) }),
      async apply(documents) {
        for (let from = 0; from < documents.length; from += 100) await daemon.apply(documents.slice(from, from + 100));
      },
      async destroy() {
        await daemon.destroy();
        await removeNamespaces();
      },
    };
  } catch (error) {
    await removeNamespaces();
    throw error;
  }
}

export function numbered<T>(count: number, make: (number: number) => T): T[] {
  return Array.from({ length: count }, (_, number) => make(number));
}
