// SPDX-License-Identifier: Apache-2.0

import type { Measure } from '../harness/measure.ts';
import { rateAgainstRivals } from './memif-rate.ts';

export const memif1500: Measure = {
  name: 'memif-1500',
  run: (bench) =>
    rateAgainstRivals(bench, { name: 'memif-1500', title: 'memif to memif, frames of 1500 bytes', target: 1.4 }, 1500),
};
