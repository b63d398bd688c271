// SPDX-License-Identifier: Apache-2.0
// Two namespaces that stand for nodes, joined by a veth pair with addresses of both families, each with its own daemon
// and a pod:      pod a   node a: uplink ── veth ── uplink :node b   pod b

import { Daemon } from './daemon.ts';
import { Namespace } from './namespace.ts';

export interface Side {
  readonly node: Namespace;
  readonly pod: Namespace;
  readonly daemon: Daemon;
}

export const underlay = { 4: ['192.0.2.1', '192.0.2.2'], 6: ['2001:db8::1', '2001:db8::2'] } as const;
export type Family = keyof typeof underlay;

export class TwoNodes {
  readonly a: Side;
  readonly b: Side;

  private constructor(a: Side, b: Side) {
    this.a = a;
    this.b = b;
  }

  static async make(): Promise<TwoNodes> {
    const [nodeA, nodeB] = [await Namespace.make('na'), await Namespace.make('nb')];
    await nodeA.run('ip', 'link', 'add', 'uplink', 'type', 'veth', 'peer', 'name', 'uplink', 'netns', nodeB.name);
    for (const [index, node] of [nodeA, nodeB].entries()) {
      await node.run('ip', 'address', 'add', `${underlay[4][index]}/24`, 'dev', 'uplink');
      await node.run('ip', 'address', 'add', `${underlay[6][index]}/64`, 'dev', 'uplink', 'nodad');
      await node.run('ip', 'link', 'set', 'uplink', 'up');
    }
    const [a, b] = await Promise.all([sideAt(nodeA, 'pa'), sideAt(nodeB, 'pb')]);
    return new TwoNodes(a, b);
  }

  async remove(): Promise<void> {
    await Promise.all([this.a, this.b].map(({ daemon }) => daemon.destroy()));
    for (const { node, pod } of [this.a, this.b]) for (const one of [node, pod]) await one.remove();
  }
}

async function sideAt(node: Namespace, label: string): Promise<Side> {
  return { node, pod: await Namespace.make(label), daemon: await Daemon.startInside(node) };
}
