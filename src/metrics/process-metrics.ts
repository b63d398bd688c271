// SPDX-License-Identifier: Apache-2.0
// The metrics that prom-client collects: those of the process, and the histogram of the time to make a wire.

import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Path } from '../model/wire.ts';
import { setupMetrics } from './catalogue.ts';

const buckets = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];
const paths: readonly Path[] = ['veth', 'engine', 'tunnel', 'vlan', 'proxy', 'nic'];

/** Milliseconds between two samples of the event-loop lag. prom-client's default of 10 costs 1 % of a CPU when idle. */
const lagPrecision = 100;

/** Gauges whose names `promtool check metrics` refuses. */
const misnamed = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];
const replaced = [...misnamed, 'process_open_fds'];

export class ProcessMetrics {
  readonly #registry = new Registry();
  readonly #setup: Histogram<'path'>;

  /** `openDescriptors` replaces prom-client's way to count open files, which lists /proc/self/fd with maybe ten thousands of
   *  entries. */
  constructor(openDescriptors: () => number) {
    const { name, help } = setupMetrics.crosswire_wire_setup_seconds;
    this.#setup = new Histogram({ name, help, labelNames: ['path'], buckets, registers: [this.#registry] });
    for (const path of paths) this.#setup.zero({ path });
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: lagPrecision });
    for (const metric of replaced) this.#registry.removeSingleMetric(metric);
    new Gauge({
      name: 'process_open_fds',
      help: 'Number of open file descriptors.',
      registers: [this.#registry],
      collect() {
        this.set(openDescriptors());
      },
    });
  }

  observeSetup(seconds: number, path: Path): void {
    this.#setup.observe({ path }, seconds);
  }

  async render(): Promise<string> {
    return this.#registry.metrics();
  }
}
