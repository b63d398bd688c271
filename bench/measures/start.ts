// SPDX-License-Identifier: Apache-2.0
// Measures the time from the start of the process to ready, with a thousand wires in the journal to adopt.

import { compare, type Measure, releasing } from '../harness/measure.ts';
import { numbered, startCrowd } from '../subjects/many-wires.ts';

export const start: Measure = {
  name: 'start',
  run: (bench) =>
    releasing(async (own) => {
      const count = bench.quick ? 200 : 1000;
      const crowd = await startCrowd(bench.forwarderCpu, count);
      own(() => crowd.destroy());
      await crowd.apply(numbered(count, crowd.kernelWire));
      const headline = {
        name: 'start',
        title: `start of the daemon with ${count} journaled kernel wires, to ready`,
        unit: 's',
        better: 'less',
        subject: 'crosswire',
        target: 2,
      } as const;
      return [
        await compare(bench, headline, async () => {
          await crowd.daemon.stop(); // kernel wires stay
          return { value: await crowd.daemon.launch() };
        }),
      ];
    }),
};
