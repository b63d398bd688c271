// SPDX-License-Identifier: Apache-2.0
// Runs the traffic generator as a process: each input line is a trial, each output line its result (bench/generator/main.cpp).

import type { Bucket } from './histogram.ts';
import { Measured } from './process.ts';
import { builtProgram } from './programs.ts';

export interface MemifEnd {
  readonly socket: string;
  readonly id: number;
}

export interface GeneratorOptions {
  /** For each wire, the end that frames are sent to and the end that they are expected from. */
  readonly pairs: readonly (readonly [MemifEnd, MemifEnd])[];
  readonly cpu: number;
  readonly bufferSize?: number;
  readonly ringLog?: number;
  /** The ring uses the generator's own buffers, so that the generator is fast and the forwarder is the bottleneck. */
  readonly zeroCopy?: boolean;
}

export interface Trial {
  readonly mode: 'closed' | 'open' | 'cold';
  readonly size?: number | 'imix';
  readonly window?: number;
  /** Frames sent or received at a time. */
  readonly burst?: number;
  readonly rate?: number;
  readonly seconds?: number;
  readonly warmUp?: number;
  readonly pause?: number;
}

export interface TrialOutcome {
  readonly seconds: number;
  readonly sent: number;
  readonly received: number;
  readonly bytes: number;
  readonly lost: number;
  readonly misplaced: number;
  readonly corrupt: number;
  readonly due: number;
  readonly backlog: number;
  /** Mode closed: seconds in which the generator waited for the forwarder; near 0 the generator was the bottleneck. */
  readonly idle: number;
  readonly cpu: number;
  readonly latencies: readonly Bucket[];
}

export class Generator {
  readonly process: Measured;

  private constructor(process: Measured) {
    this.process = process;
  }

  static async start(options: GeneratorOptions): Promise<Generator> {
    const { pairs, cpu, bufferSize = 2048, ringLog = 10, zeroCopy = true } = options;
    const ends = pairs.map(([from, to]) => `--pair=${from.socket}:${from.id},${to.socket}:${to.id}`);
    const process = new Measured('the generator', builtProgram('bench_generator'), [
      ...ends,
      `--cpu=${cpu}`,
      `--ring-log=${ringLog}`,
      `--buffer-size=${bufferSize}`,
      ...(zeroCopy ? ['--zero-copy'] : []),
    ]);
    const generator = new Generator(process);
    try {
      await process.says(/\{"ready":true\}\n/, 40);
    } catch (error) {
      await generator.stop();
      throw error;
    }
    return generator;
  }

  async run(trial: Trial): Promise<TrialOutcome> {
    const { mode, warmUp, ...rest } = trial;
    const settings = Object.entries({ ...rest, 'warm-up': warmUp }).filter(([, value]) => value !== undefined);
    const from = this.process.output.length;
    this.process.write([mode, ...settings.map(([key, value]) => `${key}=${value}`)].join(' '));
    const [line] = await this.process.says(/^\{.*\}$/m, 20 + 2 * (trial.seconds ?? 1), from);
    const answer = JSON.parse(line) as TrialOutcome & { readonly error?: string };
    if (answer.error !== undefined) throw new Error(`the generator: ${answer.error}`);
    return answer;
  }

  async stop(): Promise<void> {
    this.process.child.stdin?.end();
    await this.process.stop();
  }
}
