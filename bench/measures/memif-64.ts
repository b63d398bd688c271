// SPDX-License-Identifier: Apache-2.0

import type { Measure } from '../harness/measure.ts';
import { rateAgainstRivals } from './memif-rate.ts';

export const memif64: Measure = {
  name: 'memif-64',
  run: (bench) =>
    rateAgainstRivals(bench, { name: 'memif-64', title: 'memif to memif, frames of 64 bytes', target: 1.4 }, 64),
};
