// SPDX-License-Identifier: Apache-2.0
// DPDK's testpmd as a real memif peer, without hugepages, in its interactive mode.

import { randomBytes } from 'node:crypto';
import type { Namespace } from './namespace.ts';
import { Background } from './shell.ts';
import { findProgram } from './requires.ts';

export interface TestpmdOptions {
  /** --vdev arguments, port 0 first. */
  readonly devices: readonly string[];
  readonly forward?: 'io' | 'rxonly' | 'txonly' | 'mac' | 'macswap' | 'csum';
  readonly extra?: readonly string[];
  readonly eal?: readonly string[];
  /** The namespace of its abstract sockets. */
  readonly namespace?: Namespace;
}

export interface PortStatistics {
  readonly rxPackets: number;
  readonly txPackets: number;
  readonly rxBytes: number;
  readonly txBytes: number;
}

export function memifDevice(index: number, role: 'client' | 'server', socket: string, id: number, more = ''): string {
  const abstract = socket.startsWith('@');
  const path = abstract ? socket.slice(1) : socket;
  return `net_memif${index},role=${role},id=${id},socket=${path},socket-abstract=${abstract ? 'yes' : 'no'}${more ? `,${more}` : ''}`;
}

export class Testpmd {
  readonly process: Background;

  private constructor(process: Background) {
    this.process = process;
  }

  static async start(options: TestpmdOptions): Promise<Testpmd> {
    const { devices, forward = 'io', extra = [], eal = [], namespace } = options;
    // Both logical cores run on one CPU, so that the other is free for the forwarder.
    const args = [
      '--lcores=0@1,1@1',
      '--no-huge',
      '-m',
      '512',
      '--no-pci',
      '--no-telemetry',
      `--file-prefix=cwt${randomBytes(3).toString('hex')}`,
      ...eal,
      ...devices.map((device) => `--vdev=${device}`),
      '--',
      '-i',
      '--total-num-mbufs=16384',
      `--forward-mode=${forward}`,
      ...extra,
    ];
    const command = ['stdbuf', '-oL', findProgram('dpdk-testpmd') as string, ...args] as const; // stdbuf, because its stdout is a pipe
    const [program, rest] = namespace ? namespace.inside(...command) : [command[0], command.slice(1)];
    const process = new Background(program, rest);
    await process.says('testpmd> ');
    return new Testpmd(process);
  }

  /** Enters a command at the prompt and returns its output. */
  async command(text: string): Promise<string> {
    const before = this.process.output.length;
    const marker = `end_of_answer_${randomBytes(2).toString('hex')}`;
    this.process.child.stdin?.write(`${text}\n${marker}\n`);
    await this.process.says(new RegExp(`${marker}[\\s\\S]*Command not found`));
    return this.process.output.slice(before);
  }

  async statistics(port: number): Promise<PortStatistics> {
    const text = await this.command(`show port stats ${port}`);
    const value = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(text)?.[1] ?? Number.NaN);
    return {
      rxPackets: value('RX-packets'),
      txPackets: value('TX-packets'),
      rxBytes: value('RX-bytes'),
      txBytes: value('TX-bytes'),
    };
  }

  async stop(): Promise<void> {
    this.process.child.stdin?.write('quit\n');
    const timer = setTimeout(() => this.process.child.kill('SIGKILL'), 10_000);
    await this.process.ended();
    clearTimeout(timer);
  }
}
