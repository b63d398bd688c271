// SPDX-License-Identifier: Apache-2.0
// A FAKE of the supervisor for the control API: wires are up as soon as they are applied, a wire named
// 'broken' fails, and the kernel is not used.

import { isDeepStrictEqual } from 'node:util';
import type { WireManager } from '../../src/http/wire-manager.ts';
import { CrosswireError } from '../../src/model/error.ts';
import type {
  ApplyReport,
  Explanation,
  HealthRecord,
  RemoveReport,
  WireCounters,
  WireOwner,
} from '../../src/model/status.ts';
import type { SetOptions } from '../../src/supervisor/wanted-wires.ts';
import type { WireStatus } from '../../src/wire/status.ts';
import type { Wire } from '../../src/wire/wire.ts';
import { counters, status } from './wires.ts';

export const failure = new CrosswireError({
  code: 'NAMESPACE_MISSING',
  operation: 'open the namespace',
  subject: '/run/netns/gone',
  reason: 'No such file or directory',
  hint: 'make it first',
  errno: 2,
});

export class FakeManager implements WireManager {
  readonly wires = new Map<string, WireStatus>();
  records: HealthRecord[] = [];
  refusal: Error | undefined;

  async set(_owner: WireOwner, wires: readonly Wire[], { dryRun = false }: SetOptions = {}): Promise<ApplyReport[]> {
    if (this.refusal) throw this.refusal;
    return wires.map((wire) => this.#setOne(wire, dryRun));
  }

  #setOne(wire: Wire, dryRun: boolean): ApplyReport {
    const { name } = wire;
    const before = this.wires.get(name);
    if (name === 'broken') {
      if (!dryRun) this.wires.set(name, status(wire, { phase: 'failed', error: failure.toJSON() }));
      return { name, outcome: 'failed', actions: ['open the namespace'], error: failure.toJSON() };
    }
    if (before && isDeepStrictEqual(before.spec, wire)) return { name, outcome: 'unchanged', actions: [] };
    if (!dryRun) this.wires.set(name, status(wire));
    return { name, outcome: before ? 'changed' : 'created', actions: ['create a veth pair'] };
  }

  async remove(names: readonly string[]): Promise<RemoveReport[]> {
    return names.map((name) => {
      if (name === 'stuck') return { name, outcome: 'failed', errors: [failure.toJSON()] };
      return { name, outcome: this.wires.delete(name) ? 'removed' : 'missing', errors: [] };
    });
  }

  list(): WireStatus[] {
    return [...this.wires.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  get(name: string): WireStatus | undefined {
    return this.wires.get(name);
  }

  async look(name: string): Promise<WireStatus | undefined> {
    return this.get(name);
  }

  async explain(wire: string | Wire): Promise<Explanation | undefined> {
    const name = typeof wire === 'string' ? wire : wire.name;
    const existing = this.wires.get(name);
    if (typeof wire === 'string' && !existing) return undefined;
    const settled = existing && (typeof wire === 'string' || isDeepStrictEqual(existing.spec, wire));
    const actions = ['create a veth pair'];
    return {
      name,
      path: 'veth',
      why: ['both ends are kernel interfaces of this node'],
      actions,
      pending: settled ? [] : actions,
    };
  }

  health(): HealthRecord[] {
    return this.records;
  }

  async counters(): Promise<Map<string, WireCounters>> {
    const made = [...this.wires.values()].filter(({ phase }) => phase === 'up');
    return new Map(made.map(({ name }) => [name, counters({ rxBytes: 2n ** 53n + 1n, drops: { kernel_queue: 4n } })]));
  }
}
