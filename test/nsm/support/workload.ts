// SPDX-License-Identifier: Apache-2.0
// A client or an endpoint: its process, its namespace and its interfaces.

import type { Namespace } from '../../support/namespace.ts';
import { type Background, eventually } from '../../support/shell.ts';
import { count } from './programs.ts';

interface Link {
  readonly ifindex: number;
  readonly ifname: string;
  readonly mtu: number;
  readonly address: string;
  readonly addr_info: readonly { readonly local: string; readonly prefixlen: number; readonly scope: string }[];
}

export class Workload {
  readonly name: string;
  readonly namespace: Namespace;
  readonly process: Background;

  constructor(name: string, namespace: Namespace, process: Background) {
    this.name = name;
    this.namespace = namespace;
    this.process = process;
  }

  async connected(services = 1): Promise<void> {
    await eventually(
      `${this.name} has ${services} connections`,
      async () => {
        if (this.process.child.exitCode !== null) throw new Error(this.process.output);
        return count(this.process, 'successfully connected to') >= services;
      },
      60_000,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.process.output.slice(-4000)}`);
    });
  }

  async links(): Promise<readonly Link[]> {
    const links = JSON.parse(await this.namespace.run('ip', '-j', 'address', 'show')) as Link[];
    return links.filter((link) => link.ifname !== 'lo');
  }

  async link(name: string): Promise<Link> {
    const link = (await this.links()).find(({ ifname }) => ifname === name);
    if (!link) throw new Error(`${this.name} has no ${name}, but ${(await this.namespace.interfaces()).join()}`);
    return link;
  }

  /** VXLAN network identifier of a tunnel's device. */
  async vni(name: string): Promise<number> {
    const details = await this.namespace.run('ip', '-j', '-d', 'link', 'show', name);
    const [link] = JSON.parse(details) as [{ linkinfo?: { info_kind?: string; info_data?: { id?: number } } }];
    const id = link.linkinfo?.info_kind === 'vxlan' ? link.linkinfo.info_data?.id : undefined;
    if (id === undefined) throw new Error(`${name} of ${this.name} is no VXLAN device: ${details}`);
    return id;
  }

  /** The other side of a point-to-point service: the only route of its interface. */
  async otherSide(name: string): Promise<string> {
    const routes = await Promise.all(
      ['-4', '-6'].map(async (family) => {
        const text = await this.namespace.run('ip', '-j', family, 'route', 'show', 'dev', name);
        return JSON.parse(text || '[]') as { dst: string; protocol: string }[];
      }),
    );
    const asked = routes.flat().filter(({ protocol }) => protocol !== 'kernel');
    if (asked.length !== 1) throw new Error(`${this.name} has ${asked.length} routes by ${name}`);
    return (asked[0] as { dst: string }).dst.replace(/\/(32|128)$/, '');
  }

  async stop(signal?: NodeJS.Signals): Promise<void> {
    await this.process.stop(signal);
  }
}
