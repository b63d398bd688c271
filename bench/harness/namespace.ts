// SPDX-License-Identifier: Apache-2.0
// Makes network namespaces for a measurement and removes them.

import { randomBytes } from 'node:crypto';
import { runToEnd } from './process.ts';

export class Namespace {
  readonly name: string;

  private constructor(name: string) {
    this.name = name;
  }

  static async make(label: string): Promise<Namespace> {
    const namespace = new Namespace(`cwb-${label}-${randomBytes(3).toString('hex')}`);
    await runToEnd('ip', ['netns', 'add', namespace.name]);
    await namespace.run('ip', 'link', 'set', 'lo', 'up');
    return namespace;
  }

  get path(): string {
    return `/run/netns/${this.name}`;
  }

  /** Arguments of ip(8) that run a program inside. */
  inside(program: string, ...args: readonly string[]): string[] {
    return ['netns', 'exec', this.name, program, ...args];
  }

  async run(program: string, ...args: readonly string[]): Promise<string> {
    return runToEnd('ip', this.inside(program, ...args));
  }

  async remove(): Promise<void> {
    await runToEnd('ip', ['netns', 'delete', this.name]);
  }
}
