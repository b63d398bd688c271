// SPDX-License-Identifier: Apache-2.0
// Metrics and probes over HTTP.

import type { Logger } from 'pino';
import type { NativeDataplane } from '../dataplane/dataplane.ts';
import { MetricsServer } from '../http/metrics-server.ts';
import { readCpuQuota } from '../machine/cgroup.ts';
import type { Inventory } from '../machine/sriov/inventory.ts';
import { Exposition } from '../metrics/exposition.ts';
import { Liveness } from '../metrics/liveness.ts';
import type { MeshMetrics } from '../metrics/mesh-metrics.ts';
import type { ProcessMetrics } from '../metrics/process-metrics.ts';
import type { RunOptions } from '../options/run-options.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';
import type { Part } from './part.ts';
import type { Readiness } from './readiness.ts';

export interface MetricsParts {
  readonly options: RunOptions & { readonly metrics: NonNullable<RunOptions['metrics']> };
  readonly version: string;
  readonly dataplane: NativeDataplane;
  readonly supervisor: Supervisor;
  readonly inventory: Inventory;
  readonly process: ProcessMetrics;
  readonly mesh: MeshMetrics | undefined;
  readonly readiness: Readiness;
  readonly log: Logger;
}

export class Metrics implements Part {
  readonly #liveness: Liveness;
  readonly #server: MetricsServer;

  constructor({ options, version, readiness, log, ...parts }: MetricsParts) {
    const { dataplane, supervisor, inventory, process, mesh } = parts;
    this.#liveness = new Liveness(() => dataplane.workerStatistics());
    const source = {
      list: () => supervisor.statuses(),
      counters: () => supervisor.counters(),
      health: () => supervisor.health(),
      workers: () => dataplane.workerStatistics(),
      throttling: async () => (await readCpuQuota()).throttling,
      devices: () => inventory.read(),
    };
    const { metrics, metricsCompat: compat, metricsCompatPrefix: compatPrefix } = options;
    const inMesh = mesh ? { mesh } : {};
    const exposition = new Exposition({ source, process, ...inMesh, version, compat, compatPrefix });
    this.#server = new MetricsServer({
      ...metrics,
      render: () => exposition.render(),
      alive: () => this.#liveness.report(),
      ready: () => readiness.ready,
      onInternalError: (error) => log.error({ error }, 'unexpected failure while answering'),
    });
  }

  async start(): Promise<void> {
    this.#liveness.start();
    await this.#server.start();
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    this.#liveness.stop();
  }
}
