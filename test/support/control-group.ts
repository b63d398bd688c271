// SPDX-License-Identifier: Apache-2.0
// Makes control groups for a test that restrict devices as a container runtime does, and removes them.

import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { attempt, run } from './shell.ts';

export interface Hierarchy {
  readonly version: 1 | 2;
  readonly mount: string;
}

/** The cgroup hierarchies of this machine that control devices: v1 with the devices controller, v2, or both. */
export function deviceHierarchies(): Hierarchy[] {
  const found = new Map<number, Hierarchy>();
  for (const line of readFileSync('/proc/self/mounts', 'utf8').split('\n')) {
    const [, mount = '', type, options = ''] = line.split(' ');
    const v1 = type === 'cgroup' && options.split(',').includes('devices');
    if (v1 && !found.has(1)) found.set(1, { version: 1, mount });
    if (type === 'cgroup2' && !found.has(2)) found.set(2, { version: 2, mount });
  }
  return [...found.values()];
}

export class ControlGroup {
  readonly path: string;
  readonly #version: 1 | 2;

  constructor({ version, mount }: Hierarchy, name = `cwt-${randomBytes(3).toString('hex')}`) {
    this.#version = version;
    this.path = join(mount, name);
    mkdirSync(this.path);
  }

  /** Allows making all nodes, but opening only these character devices. */
  async confine(...allowed: string[]): Promise<void> {
    if (this.#version === 2) {
      await run(resolve('build/native-tools/device_filter'), this.path, ...allowed);
      return;
    }
    writeFileSync(join(this.path, 'devices.deny'), 'a');
    for (const rule of ['*:* m', ...allowed.map((node) => `${node} rwm`)])
      writeFileSync(join(this.path, 'devices.allow'), `c ${rule}`);
  }

  /** Whether a process of the group may open the device to read and write. */
  async opens(device: string): Promise<boolean> {
    const script = `echo 0 > ${this.path}/cgroup.procs && : <> ${device}`;
    const { code, stderr } = await attempt('bash', '-c', script);
    if (code !== 0 && !stderr.includes('Operation not permitted')) throw new Error(stderr);
    return code === 0;
  }

  remove(): void {
    rmdirSync(this.path);
  }
}
