// SPDX-License-Identifier: Apache-2.0
// What a run of the bench records: the shape of results/<run>/raw.json. Reports are made from this alone.

/** Two virtual cores flip between a fast and a slow state; the core-to-core round trip tells which. */
export type MachineState = 'fast' | 'slow';

/** One pair: subject and rival measured right after each other. */
export interface Pair {
  readonly subject: number;
  readonly rival: number;
  /** Core-to-core round trips in nanoseconds: before the subject, between, after the rival. */
  readonly roundTrips: readonly number[];
  /** undefined: the machine changed its state in between, and the pair does not count. */
  readonly state: MachineState | undefined;
  /** Why it does not count, if it does not. */
  readonly dropped?: string;
  /** What each of the two samples was. */
  readonly samples?: { readonly subject: SampleRecord; readonly rival?: SampleRecord };
}

/** What is kept of a sample beside its value. */
export interface SampleRecord {
  /** By name with unit: `CPU cores` (CPU seconds per second of the forwarding process), its `RSS MiB`, … */
  readonly figures?: Readonly<Record<string, number>>;
  readonly traffic?: Traffic;
  /** Nanoseconds. */
  readonly latencies?: readonly Bucket[];
}

/** Lowest value of the bucket, and how many fell into it; ascending. */
export type Bucket = readonly [lowest: number, count: number];

/** What was sent, and through how many wires: charts join measurements on these. */
export interface Traffic {
  readonly frameBytes?: number;
  readonly wires?: number;
  readonly offeredRate?: number; // frames per second, where it was fixed
}

/** Over the pairs of one machine state. */
export interface Summary {
  readonly pairs: number;
  readonly subject: Spread;
  readonly rival: Spread;
  /** subject / rival, pair by pair, turned round where less is better: above 1 the subject is ahead. */
  readonly ratio: Spread;
}

export interface Spread {
  readonly least: number;
  readonly median: number;
  readonly most: number;
}

/** A measurement against one rival, or (rival undefined) a figure of the subject alone against a bound. */
export interface Measurement extends Traffic {
  readonly name: string; // of the program, and the case: memif-64/testpmd
  readonly title: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  readonly subject: string;
  readonly rival?: string;
  /** Smallest ratio wanted; or with no rival, the bound of the figure itself. */
  readonly target?: number;
  readonly pairs: readonly Pair[];
  /** Pairs that do not count: most straddle a change of machine state. */
  readonly dropped: number;
  readonly summaries: Readonly<Partial<Record<MachineState, Summary>>>;
  /** Further figures of the subject, by name with unit: medians of those of its samples. */
  readonly figures: Readonly<Record<string, number>>;
  /** For charts: e.g. frame size → frames per second, percentile → microseconds. */
  readonly series?: readonly Series[];
  readonly startedAt?: string; // RFC 3339
  readonly seconds?: number;
  /** Why it was not measured; then nothing above but the names means anything. */
  readonly skipped?: string;
}

/** One line of a chart. Percentiles run from 0 (the least) to 100 (the most). */
export interface Series {
  readonly name: string; // whose: that of the subject or of a rival
  readonly x?: 'frame bytes' | 'percentile' | 'wires';
  readonly unit?: string; // of the second numbers; the measurement's if undefined
  readonly mean?: number; // of a distribution: it cannot be had from its percentiles
  readonly points: readonly (readonly [number, number])[];
}

export interface Environment {
  readonly cpu: string;
  readonly cpus: number;
  readonly memoryMiB?: number;
  readonly kernel: string;
  readonly node: string;
  readonly commit: string;
  readonly versions: Readonly<Record<string, string>>; // crosswire's own, and of the rivals' programs
  readonly machine?: { readonly before: MachineAt; readonly after: MachineAt };
}

/** The machine at a moment; each pair has round trips of its own. */
export interface MachineAt {
  readonly roundTripNanoseconds: number;
  readonly state?: MachineState;
  /** Processes that ran or wanted to, averaged over a minute: /proc/loadavg. */
  readonly load: number;
}

export interface Run {
  readonly format: 1;
  readonly startedAt: string; // RFC 3339
  readonly seconds: number;
  readonly quick: boolean;
  readonly environment: Environment;
  readonly measurements: readonly Measurement[];
}
