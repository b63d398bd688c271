// SPDX-License-Identifier: Apache-2.0
// A run of the bench, made up after runs on a virtual machine with two CPUs, for tests of the reports. Deterministic.

import type { Bucket, MachineState, Measurement, Pair, Run, Spread, Summary } from '../../bench/harness/result.ts';

type Facts = Partial<Measurement> & Pick<Measurement, 'name' | 'title' | 'unit'>;

/** Five pairs in the fast state, three in the slow one (1.6 times slower), one dropped between them. */
export function measured(subject: number, rival: number, facts: Facts): Measurement {
  const better = facts.better ?? 'more';
  const slowdown = better === 'more' ? 1 / 1.6 : 1.6;
  const pair = (state: MachineState, wobble: number): Pair => {
    const scale = (1 + wobble) * (state === 'slow' ? slowdown : 1);
    const trip = state === 'fast' ? 95 : 260;
    return { subject: subject * scale, rival: rival * scale * (1 + wobble / 2), state, roundTrips: [trip, trip, trip] };
  };
  const pairs: Pair[] = [
    ...[0, 0.01, -0.02, 0.015, -0.005].map((wobble) => pair('fast', wobble)),
    { ...pair('fast', 0), state: undefined, roundTrips: [95, 180, 260] },
    ...[0, 0.03, -0.01].map((wobble) => pair('slow', wobble)),
  ];
  const summaries = { fast: summaryOf(pairs, 'fast', better), slow: summaryOf(pairs, 'slow', better) };
  return { better, subject: 'crosswire', pairs, dropped: 1, summaries, figures: {}, ...facts };
}

function summaryOf(all: readonly Pair[], state: MachineState, better: 'more' | 'less'): Summary {
  const pairs = all.filter((pair) => pair.state === state);
  const ratio = (pair: Pair) => (better === 'more' ? pair.subject / pair.rival : pair.rival / pair.subject);
  return {
    pairs: pairs.length,
    subject: spreadOf(pairs.map((pair) => pair.subject)),
    rival: spreadOf(pairs.map((pair) => pair.rival)),
    ratio: spreadOf(pairs.map(ratio)),
  };
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number) => sorted[index] as number;
  return { least: at(0), median: at(Math.floor(sorted.length / 2)), most: at(sorted.length - 1) };
}

const frameSizes = [
  [64, 28.4e6, 18.1e6],
  [512, 17.2e6, 11.9e6],
  [1500, 8.1e6, 6.2e6],
  [9000, 1.62e6, 1.21e6],
] as const;

function memif(frameBytes: number, subject: number, rival: number): Measurement {
  return measured(subject, rival, {
    name: `memif-${frameBytes}/testpmd`,
    title: `memif to memif, ${frameBytes} B frames`,
    unit: 'frames/s',
    rival: 'testpmd io',
    target: 1.4,
    frameBytes,
    startedAt: '2026-03-01T10:00:10.500Z',
    seconds: 12.5,
    figures: { 'cycles per frame': 36.4, 'CPU cores': 0.98, 'RSS MiB': 61.5 },
  });
}

function manyWires(wires: number, subject: number): Measurement {
  const measurement = measured(subject, 28.1e6, {
    name: `memif-wires-${wires}`,
    title: `10 active wires of ${wires}`,
    unit: 'frames/s',
    subject: `crosswire, ${wires} wires`,
    rival: 'crosswire, 10 wires',
    target: 0.9,
    wires,
  });
  const record = (count: number) => ({
    figures: { 'cycles per frame': 36 + count / 100, 'RSS MiB': 60 + count / 10 },
    traffic: { frameBytes: 64, wires: count },
  });
  return withSamples(measurement, { subject: record(wires), rival: record(10) });
}

function withSamples(measurement: Measurement, samples: NonNullable<Pair['samples']>): Measurement {
  return { ...measurement, pairs: measurement.pairs.map((pair) => ({ ...pair, samples })) };
}

/** A sample of a thousand frames: at least 850 ns, one in a hundred much later; the rival is 200 ns later. */
const tail = (later: number): Bucket[] => [
  [850 + later, 100],
  [1800 + later, 800],
  [4200 + later, 90],
  [84_000 + later, 10],
];

function latencyAt(percentile: 'p50' | 'p99', subject: number): Measurement {
  const measurement = measured(subject, subject + 0.2, {
    name: `latency-10-${percentile}/testpmd`,
    title: `${percentile} of one way at 10 %`,
    unit: 'µs',
    better: 'less',
    rival: 'testpmd',
    target: 1 / 1.2,
  });
  const traffic = { frameBytes: 64, wires: 1, offeredRate: 1000 };
  const sample = (later: number) => ({ traffic, latencies: tail(later) });
  return withSamples(measurement, { subject: sample(0), rival: sample(200) });
}

/** At least 850 ns, less than a thousandth of a millisecond. */
const latency = measured(4.2, 4.8, {
  name: 'latency-64/testpmd',
  title: 'one-way latency p99 of 64 B frames at 50 % load',
  unit: 'µs',
  better: 'less',
  rival: 'testpmd io',
  target: 0.83,
  frameBytes: 64,
  offeredRate: 9e6,
  series: [
    {
      name: 'crosswire',
      x: 'percentile',
      unit: 'µs',
      mean: 1.9,
      points: [
        [0, 0.85],
        [50, 1.8],
        [90, 2.6],
        [99, 4.2],
        [99.9, 11],
        [100, 84],
      ],
    },
    {
      name: 'testpmd io',
      x: 'percentile',
      unit: 'µs',
      mean: 2.1,
      points: [
        [0, 0.9],
        [50, 2],
        [90, 2.9],
        [99, 4.8],
        [99.9, 25],
        [100, 190],
      ],
    },
  ],
});

export function exampleRun(changes: Partial<Run> = {}): Run {
  return {
    format: 1,
    startedAt: '2026-03-01T10:00:00.000Z',
    seconds: 412.25,
    quick: false,
    environment: {
      cpu: 'Example CPU @ 2.50GHz',
      cpus: 2,
      memoryMiB: 7815,
      kernel: '6.18.0',
      node: '24.21.0',
      commit: '58d2c01aa0b3',
      versions: { crosswire: '0.1.0', testpmd: '22.11.7', iperf3: '3.12' },
      machine: {
        before: { roundTripNanoseconds: 95, state: 'fast', load: 0.4 },
        after: { roundTripNanoseconds: 260, state: 'slow', load: 1.7 },
      },
    },
    measurements: [
      ...frameSizes.map(([bytes, subject, rival]) => memif(bytes, subject, rival)),
      measured(9.1e6, 4.9e6, {
        name: 'memif-64/vpp',
        title: 'memif to memif, 64 B frames',
        unit: 'frames/s',
        rival: 'VPP',
        skipped: 'no vpp on PATH | give one by --vpp <DIR>',
      }),
      measured(23.4, 21, {
        name: 'kernel-tcp/bridge',
        title: 'one TCP stream between namespaces',
        unit: 'Gbit/s',
        rival: 'Linux bridge',
        target: 1.2,
      }),
      ...(
        [
          [1, 28.6e6],
          [10, 28.2e6],
          [100, 27.9e6],
          [1000, 24.8e6],
        ] as const
      ).map(([n, rate]) => manyWires(n, rate)),
      latency,
      latencyAt('p50', 1.8),
      latencyAt('p99', 4.2),
      measured(0.4, 0.4, {
        name: 'idle-1000',
        title: 'CPU with 1,000 idle wires',
        unit: '% of a core',
        better: 'less',
        target: 1,
      }),
      {
        ...measured(1, 1, { name: 'first-frame', title: 'first frame on a cold wire', unit: 'µs', better: 'less' }),
        summaries: {},
        dropped: 9,
      },
    ],
    ...changes,
  };
}
