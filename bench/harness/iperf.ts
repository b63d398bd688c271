// SPDX-License-Identifier: Apache-2.0
// Runs iperf3 from one namespace to another.

import { addressOf, type KernelPath } from '../subjects/kernel.ts';
import { type Cost, costBetween } from './cost.ts';
import { Absent } from './measure.ts';
import type { Sample } from './pairs.ts';
import { Measured, runToEnd, usageOf } from './process.ts';
import { findProgram } from './programs.ts';

export interface IperfCpus {
  readonly client: number;
  readonly server: number;
}

const udpHeaders = 14 + 20 + 8; // Ethernet, IPv4, UDP

interface Report {
  readonly error?: string;
  readonly end: {
    readonly sum_received?: { readonly bits_per_second: number };
    readonly sum_sent?: { readonly retransmits?: number };
    readonly sum?: { readonly packets: number; readonly lost_packets: number; readonly seconds: number };
  };
}

export class Iperf {
  readonly path: KernelPath;
  readonly #cpus: IperfCpus;
  readonly #server: Measured;

  private constructor(path: KernelPath, cpus: IperfCpus, server: Measured) {
    this.path = path;
    this.#cpus = cpus;
    this.#server = server;
  }

  static async start(path: KernelPath, cpus: IperfCpus): Promise<Iperf> {
    if (findProgram('iperf3') === undefined) throw new Absent('iperf3 is not installed');
    const command = path.b.inside('taskset', '-c', String(cpus.server), 'iperf3', '--server', '--forceflush');
    const server = new Measured('iperf3 --server', 'ip', command);
    await server.says(/Server listening/);
    path.pause();
    return new Iperf(path, cpus, server);
  }

  /** One TCP stream, in bits per second at the receiver. */
  async tcp(seconds: number): Promise<Sample> {
    const { report, cost } = await this.#run(['--time', String(seconds)]);
    const value = report.end.sum_received?.bits_per_second ?? Number.NaN;
    return { value, figures: { ...cost, retransmits: report.end.sum_sent?.retransmits ?? Number.NaN } };
  }

  /** Datagrams of one size, sent as fast as one process can, in datagrams per second at the receiver. */
  async udp(seconds: number, payload: number): Promise<Sample> {
    const flood = ['--udp', '--bitrate', '0', '--length', String(payload)];
    const { report, cost } = await this.#run(['--time', String(seconds), ...flood]);
    const { sum } = report.end;
    if (!sum) return { value: Number.NaN, spoilt: 'iperf3 reports no datagrams' };
    const arrived = sum.packets - sum.lost_packets;
    return {
      value: arrived / sum.seconds,
      figures: { ...cost, 'lost share': sum.lost_packets / sum.packets },
      traffic: { frameBytes: payload + udpHeaders },
    };
  }

  async stop(): Promise<void> {
    this.path.resume();
    await this.#server.stop();
    await this.path.stop();
  }

  async #run(more: readonly string[]): Promise<{ readonly report: Report; readonly cost: Partial<Cost> }> {
    const client = ['iperf3', '--client', addressOf.b, '--json', '--connect-timeout', '5000', ...more];
    const { pid } = this.path;
    this.path.resume();
    try {
      const before = pid === undefined ? undefined : usageOf(pid);
      const from = performance.now();
      const text = await runToEnd('ip', this.path.a.inside('taskset', '-c', String(this.#cpus.client), ...client), 40);
      const seconds = (performance.now() - from) / 1000;
      const report = JSON.parse(text) as Report;
      if (report.error) throw new Error(`iperf3: ${report.error}`);
      const cost = pid === undefined || before === undefined ? {} : costBetween(pid, before, usageOf(pid), seconds);
      return { report, cost };
    } finally {
      this.path.pause();
    }
  }
}
