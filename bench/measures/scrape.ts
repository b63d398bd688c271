// SPDX-License-Identifier: Apache-2.0
// Measures the CPU time of a scrape of many wires, and how long it blocks the event loop.

import { compare, type Measure, releasing } from '../harness/measure.ts';
import { residentMebibytes, usageOf } from '../harness/process.ts';
import { numbered, startCrowd } from '../subjects/many-wires.ts';

export const scrape: Measure = {
  name: 'scrape',
  run: (bench) =>
    releasing(async (own) => {
      // An idle memif end needs two descriptors, and 20,000 is a common limit, so the other wires are kernel wires.
      const memifs = bench.quick ? 1000 : 4000;
      const kernels = bench.quick ? 0 : 6000;
      const wires = memifs + kernels;
      const crowd = await startCrowd(bench.forwarderCpu, kernels);
      own(() => crowd.destroy());
      const { daemon } = crowd;
      await crowd.apply([...numbered(memifs, crowd.memifWire), ...numbered(kernels, crowd.kernelWire)]);
      const headline = {
        name: 'scrape',
        title: `CPU of one scrape with ${wires} wires`,
        unit: 'ms',
        better: 'less',
        subject: 'crosswire',
        target: 100,
      } as const;
      const scrapes = 5;
      return [
        await compare(bench, headline, async () => {
          const { pid } = daemon.process;
          const before = usageOf(pid).cpuSeconds;
          const from = performance.now();
          let text = '';
          for (let i = 0; i < scrapes; i++) text = await daemon.scrape();
          const wall = (performance.now() - from) / scrapes;
          const value = ((usageOf(pid).cpuSeconds - before) * 1000) / scrapes;
          // The maximum since the previous scrape: prom-client resets it with every scrape.
          const lag = Number(/^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(text)?.[1] ?? Number.NaN);
          const figures = {
            'wall ms': wall,
            'MiB of text': text.length / (1 << 20),
            'longest event loop lag ms': lag * 1000,
            'RSS MiB': residentMebibytes(pid),
          };
          return { value, figures };
        }),
      ];
    }),
};
