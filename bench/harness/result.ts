// SPDX-License-Identifier: Apache-2.0
// The format of results/<run>/raw.json, which records a run of the bench. Reports are made from it alone.

/** Two virtual CPUs switch between a fast and a slow state; the core-to-core round trip shows which. */
export type MachineState = 'fast' | 'slow';

/** One pair: subject and rival measured right after each other. */
export interface Pair {
  readonly subject: number;
  readonly rival: number;
  /** Core-to-core round trips in nanoseconds: before the subject, between, after the rival. */
  readonly roundTrips: readonly number[];
  /** undefined if the machine changed its state during the pair, which then does not count. */
  readonly state: MachineState | undefined;
  /** Why the pair does not count. */
  readonly dropped?: string;
  /** The records of the two samples. */
  readonly samples?: { readonly subject: SampleRecord; readonly rival?: SampleRecord };
}

/** What is recorded of a sample besides its value. */
export interface SampleRecord {
  /** By name with unit: `CPU cores` (CPU seconds per second of the forwarding process), its `RSS MiB`, … */
  readonly figures?: Readonly<Record<string, number>>;
  readonly traffic?: Traffic;
  /** Nanoseconds. */
  readonly latencies?: readonly Bucket[];
}

/** Lowest value of the bucket, and how many fell into it; ascending. */
export type Bucket = readonly [lowest: number, count: number];

/** The traffic, and the number of wires: charts join measurements by these. */
export interface Traffic {
  readonly frameBytes?: number;
  readonly wires?: number;
  readonly offeredRate?: number; // frames per second, if the rate was fixed
}

/** The summary of all pairs of one machine state. */
export interface Summary {
  readonly pairs: number;
  readonly subject: Spread;
  readonly rival: Spread;
  /** subject / rival of each pair, inverted if less is better: above 1 the subject is better. */
  readonly ratio: Spread;
}

export interface Spread {
  readonly least: number;
  readonly median: number;
  readonly most: number;
}

/** A comparison with one rival, or, without a rival, a figure of the subject compared with a bound. */
export interface Measurement extends Traffic {
  readonly name: string; // measurement and rival: memif-64/testpmd
  readonly title: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  readonly subject: string;
  readonly rival?: string;
  /** The smallest ratio that is wanted; without a rival, the bound of the figure itself. */
  readonly target?: number;
  readonly pairs: readonly Pair[];
  /** Number of pairs that do not count, mostly because the machine state changed during the pair. */
  readonly dropped: number;
  readonly summaries: Readonly<Partial<Record<MachineState, Summary>>>;
  /** Further figures of the subject by name with unit: medians over its samples. */
  readonly figures: Readonly<Record<string, number>>;
  /** For charts: e.g. frame size → frames per second, percentile → microseconds. */
  readonly series?: readonly Series[];
  readonly startedAt?: string; // RFC 3339
  readonly seconds?: number;
  /** Why it was not measured. Then only the names above are meaningful. */
  readonly skipped?: string;
}

/** One line of a chart. Percentiles go from 0 (the smallest sample) to 100 (the largest). */
export interface Series {
  readonly name: string; // of the subject or the rival
  readonly x?: 'frame bytes' | 'percentile' | 'wires';
  readonly unit?: string; // of the second numbers; the measurement's if undefined
  readonly mean?: number; // of a distribution; it cannot be computed from the percentiles
  readonly points: readonly (readonly [number, number])[];
}

export interface Environment {
  readonly cpu: string;
  readonly cpus: number;
  readonly memoryMiB?: number;
  readonly kernel: string;
  readonly node: string;
  readonly commit: string;
  readonly versions: Readonly<Record<string, string>>; // of Crosswire and of the rivals' programs
  readonly machine?: { readonly before: MachineAt; readonly after: MachineAt };
}

/** The state of the machine before or after a run; each pair also has its own round trips. */
export interface MachineAt {
  readonly roundTripNanoseconds: number;
  readonly state?: MachineState;
  /** The load average over a minute: /proc/loadavg. */
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
