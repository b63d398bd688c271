// SPDX-License-Identifier: Apache-2.0
// Makes network namespaces for a test and removes them.

import { randomBytes } from 'node:crypto';
import { run } from './shell.ts';

export class Namespace {
  readonly name: string;

  private constructor(name: string) {
    this.name = name;
  }

  static async make(label: string): Promise<Namespace> {
    const namespace = new Namespace(`cwt-${label}-${randomBytes(3).toString('hex')}`);
    await run('ip', 'netns', 'add', namespace.name);
    await namespace.run('ip', 'link', 'set', 'lo', 'up');
    return namespace;
  }

  get path(): string {
    return `/run/netns/${this.name}`;
  }

  /** Program and arguments for spawn() that run a program inside. */
  inside(program: string, ...args: string[]): [string, string[]] {
    return ['ip', ['netns', 'exec', this.name, program, ...args]];
  }

  async run(program: string, ...args: string[]): Promise<string> {
    const [outer, all] = this.inside(program, ...args);
    return run(outer, ...all);
  }

  async interfaces(): Promise<string[]> {
    const links = JSON.parse(await this.run('ip', '-j', 'link', 'show')) as { ifname: string }[];
    return links.map((link) => link.ifname).filter((name) => name !== 'lo');
  }

  async remove(): Promise<void> {
    await run('ip', 'netns', 'delete', this.name);
  }
}
