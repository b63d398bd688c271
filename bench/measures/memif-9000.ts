// SPDX-License-Identifier: Apache-2.0

import type { Measure } from '../harness/measure.ts';
import { rateAgainstRivals } from './memif-rate.ts';

export const memif9000: Measure = {
  name: 'memif-9000',
  run: (bench) =>
    rateAgainstRivals(bench, { name: 'memif-9000', title: 'memif to memif, frames of 9000 bytes', target: 1.4 }, 9000),
};
