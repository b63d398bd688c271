// SPDX-License-Identifier: Apache-2.0
// Metrics of a forwarder in a mesh: the calls that it answers, its connections, and its registration at the manager.

import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { meshMetrics } from './catalogue.ts';
import type { MeshConnection } from './mesh-connection.ts';

export type MeshCall = 'request' | 'close';

const buckets = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15];
const calls: readonly MeshCall[] = ['request', 'close'];

export class MeshMetrics {
  /** Lists the established connections; set by the forwarder's service when it starts. */
  connections: () => readonly MeshConnection[] = () => [];
  readonly #registry = new Registry();
  readonly #calls: Counter<'call' | 'outcome'>;
  readonly #duration: Histogram<'call'>;
  readonly #registrations: Counter<'outcome'>;
  #isRegistered = false;
  #expiry = 0; // Unix time in milliseconds

  constructor() {
    const registers = [this.#registry];
    this.#calls = new Counter({
      ...named('crosswire_nsm_calls_total'),
      labelNames: ['call', 'outcome'],
      registers,
    });
    this.#duration = new Histogram({
      ...named('crosswire_nsm_call_seconds'),
      labelNames: ['call'],
      buckets,
      registers,
    });
    this.#registrations = new Counter({
      ...named('crosswire_nsm_registrations_total'),
      labelNames: ['outcome'],
      registers,
    });
    for (const call of calls) {
      this.#calls.inc({ call, outcome: 'ok' }, 0);
      this.#duration.zero({ call });
    }
    for (const outcome of ['ok', 'failed']) this.#registrations.inc({ outcome }, 0);
    this.#gauge('crosswire_nsm_connections', () => this.connections().length);
    this.#gauge('crosswire_nsm_registered', () => (this.#isRegistered && this.#expiry > Date.now() ? 1 : 0));
    this.#gauge('crosswire_nsm_registration_expiry_timestamp_seconds', () => this.#expiry / 1000);
  }

  /** `outcome`: the gRPC status in lower case. */
  answered(call: MeshCall, outcome: string, seconds: number): void {
    this.#calls.inc({ call, outcome });
    this.#duration.observe({ call }, seconds);
  }

  /** `until` is undefined if the manager gives no expiry. */
  registered(until: Date | undefined): void {
    this.#registrations.inc({ outcome: 'ok' });
    this.#isRegistered = true;
    this.#expiry = until?.getTime() ?? Number.POSITIVE_INFINITY;
  }

  registrationFailed(): void {
    this.#registrations.inc({ outcome: 'failed' });
    this.#isRegistered = false;
  }

  async render(): Promise<string> {
    return this.#registry.metrics();
  }

  #gauge(name: keyof typeof meshMetrics, value: () => number): void {
    const collect = function (this: Gauge) {
      this.set(value());
    };
    // The registry keeps the gauge.
    void new Gauge({ ...named(name), registers: [this.#registry], collect });
  }
}

function named(name: keyof typeof meshMetrics): { name: string; help: string } {
  return { name, help: meshMetrics[name].help };
}
