// SPDX-License-Identifier: Apache-2.0
// Renders a snapshot of all metrics for a scrape. Scrapes that arrive during a rendering share its result.

import type { WorkerStatistics } from '../dataplane/types.ts';
import type { DeviceReport } from '../model/device-status.ts';
import type { HealthRecord, WireCounters } from '../model/status.ts';
import type { WireStatus } from '../wire/status.ts';
import { ChunkWriter } from './chunk-writer.ts';
import type { MeshMetrics } from './mesh-metrics.ts';
import type { ProcessMetrics } from './process-metrics.ts';
import { renderDevices } from './render-devices.ts';
import { type CpuThrottling, renderForwarder, renderThrottling } from './render-forwarder.ts';
import { renderNsm } from './render-nsm.ts';
import { renderNsm2019 } from './render-nsm2019.ts';
import { WireRenderer } from './render-wires.ts';
import { renderWorkers } from './render-workers.ts';

/** The source of the numbers. No method waits for a forwarding thread. */
export interface MetricsSource {
  /** The wires in a stable order, so that text cached by the previous scrape can be used again. */
  list(): Promise<readonly WireStatus[]>;
  counters(): Promise<ReadonlyMap<string, WireCounters>>;
  health(): readonly HealthRecord[];
  workers(): readonly WorkerStatistics[];
  throttling(): Promise<CpuThrottling | null>;
  devices(): Promise<DeviceReport>;
}

export interface ExpositionSettings {
  readonly source: MetricsSource;
  readonly process: ProcessMetrics;
  readonly version: string;
  readonly compat: 'none' | 'nsm' | 'nsm2019';
  /** Prefix of the names that compat 'nsm' adds. */
  readonly compatPrefix?: string;
  /** Absent if the forwarder is in no mesh. */
  readonly mesh?: MeshMetrics;
}

export class Exposition {
  readonly #settings: ExpositionSettings;
  readonly #wires = new WireRenderer();
  #underWay: Promise<readonly Buffer[]> | undefined;

  constructor(settings: ExpositionSettings) {
    this.#settings = settings;
  }

  render(): Promise<readonly Buffer[]> {
    this.#underWay ??= this.#render().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  async #render(): Promise<readonly Buffer[]> {
    const { source, process, mesh, version, compat, compatPrefix = '' } = this.#settings;
    const out = new ChunkWriter();
    const [throttling, devices] = await Promise.all([source.throttling(), source.devices()]);
    const counters = await source.counters();
    const wires = await source.list();
    await out.pause();
    const samples = { wires, counters };
    await this.#wires.render(samples, out);
    if (compat === 'nsm') await renderNsm(counters, mesh?.connections() ?? [], compatPrefix, out);
    if (compat === 'nsm2019') await renderNsm2019(samples, out);
    out.write(renderWorkers(source.workers()));
    out.write(renderForwarder(version, wires, source.health()));
    out.write(renderDevices(devices));
    if (throttling) out.write(renderThrottling(throttling));
    if (mesh) out.write(await mesh.render());
    out.write(await process.render());
    return out.finish();
  }
}
