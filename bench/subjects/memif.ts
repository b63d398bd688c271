// SPDX-License-Identifier: Apache-2.0
// A forwarder between memifs on its own CPU, with a generator attached. It is paused while another is measured.

import type { MemifEnd, Generator, GeneratorOptions, Trial, TrialOutcome } from '../harness/generator.ts';
import { costBetween } from '../harness/cost.ts';
import { longestWait, type Measured, type Usage, usageOf } from '../harness/process.ts';
import type { Sample } from '../harness/pairs.ts';
import type { Traffic } from '../harness/result.ts';

export interface MemifOptions {
  readonly cpu: number;
  /** The number of wires, with and without traffic. */
  readonly wires: number;
  readonly idleWires?: number;
  /** The largest frame, in bytes. */
  readonly largest: number;
}

export interface MemifForwarder {
  readonly name: string;
  readonly process: Measured;
  readonly pairs: readonly (readonly [MemifEnd, MemifEnd])[];
  readonly idleWires?: number;
  /** Figures since the previous call; with `cycles per frame` if countsCycles. */
  figures(): Promise<Record<string, number>>;
  readonly countsCycles: boolean;
  stop(): Promise<void>;
}

/** If another process had the CPU for more than this fraction of the time, the sample is invalid. */
const toleratedWait = 0.2;

/** Cycles of the time-stamp counter, in rounds that moved frames. */
export const cyclesPerFrame = 'cycles per frame';

export class MemifBed {
  readonly forwarder: MemifForwarder;
  readonly generator: Generator;

  constructor(forwarder: MemifForwarder, generator: Generator) {
    this.forwarder = forwarder;
    this.generator = generator;
    this.#pause();
  }

  /** Runs one trial with everything else paused. `valueOf` computes the value; `beside` may do something during the trial. */
  async sample(
    trial: Trial,
    valueOf: (outcome: TrialOutcome) => number,
    beside: (run: Promise<TrialOutcome>) => Promise<TrialOutcome> = (run) => run,
  ): Promise<Sample & { outcome: TrialOutcome }> {
    this.forwarder.process.resume();
    this.generator.process.resume();
    try {
      await this.forwarder.figures();
      const pids = [this.forwarder.process.pid, this.generator.process.pid];
      const before = pids.map(usageOf);
      const from = performance.now();
      const outcome = await beside(this.generator.run(trial));
      const after = pids.map(usageOf);
      const elapsed = (performance.now() - from) / 1000;
      const waits = after.map((usage, i) => longestWait(before[i] as Usage, usage));
      const cost = costBetween(this.forwarder.process.pid, before[0] as Usage, after[0] as Usage, elapsed);
      const figures = { ...(await this.forwarder.figures()), ...cost };
      const spoilt = whySpoilt(outcome, waits);
      const idle = { 'generator idle %': (100 * outcome.idle) / outcome.seconds };
      return {
        value: valueOf(outcome),
        figures: { ...figures, ...idle },
        traffic: this.#traffic(trial),
        // In a closed loop, latencies would only show the length of its own queue.
        ...(trial.mode === 'closed' ? {} : { latencies: outcome.latencies }),
        outcome,
        ...(spoilt ? { spoilt } : {}),
      };
    } finally {
      this.#pause();
    }
  }

  async stop(): Promise<void> {
    await this.generator.stop();
    await this.forwarder.stop();
  }

  #traffic({ size, rate }: Trial): Traffic {
    return {
      wires: this.forwarder.pairs.length + (this.forwarder.idleWires ?? 0),
      ...(typeof size === 'number' ? { frameBytes: size } : {}),
      ...(rate === undefined ? {} : { offeredRate: rate }),
    };
  }

  #pause(): void {
    this.forwarder.process.pause();
    this.generator.process.pause();
  }
}

export function whySpoilt(outcome: TrialOutcome, waits: readonly number[]): string | undefined {
  const { corrupt, misplaced, received, seconds } = outcome;
  if (corrupt > 0) return `${corrupt} frames came back damaged`;
  if (misplaced > 0) return `${misplaced} frames came back out of order, twice or on another wire`;
  if (received === 0) return 'no frame came back';
  const longest = Math.max(...waits);
  if (longest > toleratedWait * seconds)
    return `another process had the CPU for ${Math.round((100 * longest) / seconds)} % of the time`;
  return undefined;
}

/** Generator options for the forwarder: each slot holds a whole frame, because DPDK's sender handles chains wrongly. */
export function generatorFor(forwarder: MemifForwarder, cpu: number, options: MemifOptions): GeneratorOptions {
  return { pairs: forwarder.pairs, cpu, bufferSize: slotFor(options.largest) };
}

/**
 * The smallest power of two, except 9216 for jumbo frames. With pages of 4 KiB, slots of 2048 bytes for small frames cost
 * the generator a TLB miss for each frame: half of its time.
 */
export function slotFor(largest: number): number {
  return largest > 2048 ? 9216 : Math.max(256, 2 ** Math.ceil(Math.log2(largest)));
}
