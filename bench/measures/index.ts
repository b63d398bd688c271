// SPDX-License-Identifier: Apache-2.0
// Every measurement, in the order of a whole run.

import type { Measure } from '../harness/measure.ts';
import { memif1500 } from './memif-1500.ts';
import { memif64 } from './memif-64.ts';
import { memif9000 } from './memif-9000.ts';

export const measures: readonly Measure[] = [memif64, memif1500, memif9000];
