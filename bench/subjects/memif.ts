// SPDX-License-Identifier: Apache-2.0
// What forwards between memifs, on a CPU of its own, with a generator attached; paused while another is measured.

import type { Attachment, Generator, GeneratorOptions, Trial, TrialOutcome } from '../harness/generator.ts';
import { costBetween } from '../harness/cost.ts';
import { longestWait, type Measured, type Usage, usageOf } from '../harness/process.ts';
import type { Sample } from '../harness/pairs.ts';
import type { Traffic } from '../harness/result.ts';

export interface MemifOptions {
  readonly cpu: number;
  /** Wires that carry traffic, and those that only exist. */
  readonly wires: number;
  readonly idleWires?: number;
  /** Bytes that a frame may have. */
  readonly largest: number;
}

export interface MemifForwarder {
  readonly name: string;
  readonly process: Measured;
  readonly pairs: readonly (readonly [Attachment, Attachment])[];
  readonly idleWires?: number;
  /** Figures of what happened since the last call; with `cycles per frame` where countsCycles. */
  figures(): Promise<Record<string, number>>;
  readonly countsCycles: boolean;
  stop(): Promise<void>;
}

/** Another process may have a CPU for this share of the time before a sample is spoilt. */
const toleratedWait = 0.2;

/** Of time-stamp cycles in rounds that moved frames. */
export const cyclesPerFrame = 'cycles per frame';

export class MemifBed {
  readonly forwarder: MemifForwarder;
  readonly generator: Generator;

  constructor(forwarder: MemifForwarder, generator: Generator) {
    this.forwarder = forwarder;
    this.generator = generator;
    this.#pause();
  }

  /** One trial, with everything else out of the way; `valueOf` makes the figure of it, `beside` may do something else
   *  while it runs. */
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
        // Of a closed loop they would only say how long its own queue is.
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

/** What fits the forwarder: slots that hold any frame whole, since DPDK's sender is wrong about chains. */
export function generatorFor(forwarder: MemifForwarder, cpu: number, options: MemifOptions): GeneratorOptions {
  return { pairs: forwarder.pairs, cpu, bufferSize: slotFor(options.largest) };
}

/**
 * The least power of two, but 9216 for jumbo frames. Where pages have 4 KiB, slots of 2048 bytes for small frames cost
 * the generator a missed translation for each: half of all its time.
 */
export function slotFor(largest: number): number {
  return largest > 2048 ? 9216 : Math.max(256, 2 ** Math.ceil(Math.log2(largest)));
}
