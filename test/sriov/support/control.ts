// SPDX-License-Identifier: Apache-2.0
// Queries a daemon over its control socket, without a program for each query: in the guest a program takes seconds to start.

import { parse } from 'yaml';
import { ControlClient } from '../../../src/cli/control-client.ts';
import type { ApplyReport, RemoveReport } from '../../../src/model/status.ts';
import type { WireStatus } from '../../../src/wire/status.ts';
import type { Daemon } from '../../support/daemon.ts';
import { wireDocument, type WireSpec } from '../../support/wires.ts';

export interface Counters {
  readonly rx: number;
  readonly tx: number;
  readonly dropped: number;
}

export class Control {
  readonly #client: ControlClient;

  constructor(daemon: Daemon) {
    this.#client = new ControlClient(daemon.control);
  }

  async apply(wire: WireSpec): Promise<ApplyReport> {
    const wires = [parse(wireDocument(wire)) as object];
    const { reports } = await this.#client.put<{ reports: ApplyReport[] }>('/v1/wires', { wires });
    return reports[0] as ApplyReport;
  }

  async mustApply(wire: WireSpec): Promise<ApplyReport> {
    const report = await this.apply(wire);
    if (report.error) throw new Error(JSON.stringify(report.error));
    return report;
  }

  status(wire: string): Promise<WireStatus> {
    return this.#client.get(`/v1/wires/${wire}`);
  }

  remove(wire: string): Promise<RemoveReport> {
    return this.#client.delete(`/v1/wires/${wire}`);
  }

  /** The unparsed answer, to check what must not be in it. */
  text(path: string): Promise<string> {
    return this.#client.get(path).then((value) => JSON.stringify(value));
  }

  async counters(wire: string): Promise<{ readonly client: Counters; readonly endpoint: Counters }> {
    type Texts = { rxPackets: string; txPackets: string; drops: Record<string, string> };
    const both = await this.#client.get<{ client: Texts; endpoint: Texts }>(`/v1/wires/${wire}/counters`);
    const numbers = ({ rxPackets, txPackets, drops }: Texts): Counters => ({
      rx: Number(rxPackets),
      tx: Number(txPackets),
      dropped: Object.values(drops).reduce((sum, count) => sum + Number(count), 0),
    });
    return { client: numbers(both.client), endpoint: numbers(both.endpoint) };
  }
}
