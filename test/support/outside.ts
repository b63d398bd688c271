// SPDX-License-Identifier: Apache-2.0
// The network behind a host device of a node:
//
//   node: uplink ── veth ── far, far.100, …: outside

import type { Namespace } from './namespace.ts';

export const outsideAddress = '10.78.0.254';

export class Outside {
  readonly namespace: Namespace;

  private constructor(namespace: Namespace) {
    this.namespace = namespace;
  }

  /** Nothing there sends frames unless it is asked. */
  static async behind(node: Namespace, namespace: Namespace): Promise<Outside> {
    await node.run('ip', 'link', 'add', 'uplink', 'type', 'veth', 'peer', 'name', 'far', 'netns', namespace.name);
    await namespace.run('sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1');
    await node.run('ip', 'link', 'set', 'uplink', 'up');
    await namespace.run('ip', 'link', 'set', 'far', 'up');
    return new Outside(namespace);
  }

  /** Makes a peer in the VLAN (0: untagged) and returns the name of its interface. */
  async peer(id: number, address = `${outsideAddress}/24`): Promise<string> {
    const name = id === 0 ? 'far' : `far.${id}`;
    if (id !== 0)
      await this.namespace.run('ip', 'link', 'add', 'link', 'far', 'name', name, 'type', 'vlan', 'id', `${id}`);
    await this.namespace.run('ip', 'address', 'add', address, 'dev', name);
    await this.namespace.run('ip', 'link', 'set', name, 'up');
    return name;
  }
}
