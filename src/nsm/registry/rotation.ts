// SPDX-License-Identifier: Apache-2.0
// Distributes the new connections of a service over its endpoints by their shares: smooth weighted round robin, as in nginx.
// With equal shares it is plain round robin (networkservicemesh/sdk, pkg/networkservice/common/roundrobin).

import type { Candidate } from './match.ts';

/** A client may name any service: the least recently used is forgotten. */
const mostServices = 10_000;

export class Rotation {
  readonly #credits = new Map<string, Map<string, number>>();

  /** All candidates with a share: first the one whose turn it is, then the others in case it fails. */
  order(service: string, candidates: readonly Candidate[]): Candidate[] {
    const total = candidates.reduce((sum, { weight }) => sum + weight, 0);
    if (total === 0) return [...candidates];
    const before = this.#credits.get(service) ?? new Map<string, number>();
    const credits = new Map(
      candidates.map(({ endpoint, weight }) => [endpoint.name, (before.get(endpoint.name) ?? 0) + weight]),
    );
    const credit = ({ endpoint }: Candidate) => credits.get(endpoint.name) ?? 0;
    const ordered = candidates.filter(({ weight }) => weight > 0).toSorted((a, b) => credit(b) - credit(a));
    const [chosen] = ordered;
    if (chosen) credits.set(chosen.endpoint.name, credit(chosen) - total);
    this.#remember(service, credits);
    return ordered;
  }

  #remember(service: string, credits: Map<string, number>): void {
    this.#credits.delete(service);
    this.#credits.set(service, credits);
    const [oldest] = this.#credits.keys();
    if (this.#credits.size > mostServices && oldest !== undefined) this.#credits.delete(oldest);
  }
}
