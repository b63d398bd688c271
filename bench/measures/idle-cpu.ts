// SPDX-License-Identifier: Apache-2.0
// Measures the CPU time of a thousand wires without traffic, kernel and memif mixed.

import { setTimeout as pause } from 'node:timers/promises';
import { compare, type Measure, releasing } from '../harness/measure.ts';
import { residentMebibytes, usageOf } from '../harness/process.ts';
import { numbered, startCrowd } from '../subjects/many-wires.ts';

const wires = 1000;

export const idleCpu: Measure = {
  name: 'idle-cpu',
  run: (bench) =>
    releasing(async (own) => {
      const crowd = await startCrowd(bench.forwarderCpu, wires / 2);
      own(() => crowd.destroy());
      const { daemon } = crowd;
      await crowd.apply([...numbered(wires / 2, crowd.kernelWire), ...numbered(wires / 2, crowd.memifWire)]);
      await pause(2000); // until the work that follows making them is done
      const seconds = bench.quick ? 2 : 5;
      const headline = {
        name: 'idle-cpu',
        title: `CPU with ${wires} idle wires, half kernel and half memif`,
        unit: '% of a core',
        better: 'less',
        subject: 'crosswire',
        target: 1,
      } as const;
      return [
        await compare(bench, headline, async () => {
          const { pid } = daemon.process;
          const wakeUps = (await daemon.worker()).wakeUps;
          await pause(200); // so that the scrape itself is not measured
          const before = usageOf(pid).cpuSeconds;
          await pause(seconds * 1000);
          const used = usageOf(pid).cpuSeconds - before;
          const woken = (await daemon.worker()).wakeUps - wakeUps;
          const figures = { 'wake-ups per second': woken / seconds, 'RSS MiB': residentMebibytes(pid) };
          return { value: (100 * used) / seconds, figures };
        }),
      ];
    }),
};
