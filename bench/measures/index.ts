// SPDX-License-Identifier: Apache-2.0
// Every measurement, in the order of a whole run.

import type { Measure } from '../harness/measure.ts';
import { chainTcp, chainUdp64 } from './chain.ts';
import { coldWake } from './cold-wake.ts';
import { defences } from './defences.ts';
import { idleCpu } from './idle-cpu.ts';
import { kernelTcp, kernelUdp64 } from './kernel.ts';
import { latency } from './latency.ts';
import { makeWires } from './make-wires.ts';
import { memif1500 } from './memif-1500.ts';
import { memif64 } from './memif-64.ts';
import { memif9000 } from './memif-9000.ts';
import { memifSizes } from './memif-sizes.ts';
import { memifWires } from './memif-wires.ts';
import { scaling, scalingMost } from './scaling.ts';
import { scrape } from './scrape.ts';
import { scrapeLoad } from './scrape-load.ts';
import { start } from './start.ts';
import { workers } from './workers.ts';

export const measures: readonly Measure[] = [
  memif64,
  memif1500,
  memif9000,
  memifSizes,
  memifWires,
  workers,
  defences,
  latency,
  coldWake,
  kernelTcp,
  kernelUdp64,
  chainTcp,
  chainUdp64,
  idleCpu,
  makeWires,
  start,
  scrape,
  scrapeLoad,
  scaling,
  scalingMost,
];
