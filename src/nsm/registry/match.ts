// SPDX-License-Identifier: Apache-2.0
// The endpoints that a connection may have (networkservicemesh/sdk, pkg/networkservice/common/discover, matchutils).

import type { Destination, NetworkService, NetworkServiceEndpoint } from '../generated/registry.ts';

type Labels = Readonly<Record<string, string>>;

export interface Candidate {
  readonly endpoint: NetworkServiceEndpoint;
  /** Its share of new connections: the weight of its route, or 1 where no route has a weight. */
  readonly weight: number;
}

/** In the order of `endpoints`; empty where no match leads to one. */
export function candidatesFor(
  service: NetworkService,
  endpoints: readonly NetworkServiceEndpoint[],
  connectionLabels: Labels,
): Candidate[] {
  const evenly = endpoints.map((endpoint) => ({ endpoint, weight: 1 }));
  if (service.matches.length === 0) return evenly;
  for (const { sourceSelector, routes, fallthrough, metadata } of service.matches) {
    if (!includes(connectionLabels, sourceSelector, connectionLabels)) continue;
    const found = endpoints.flatMap((endpoint) => {
      const labels = endpoint.networkServiceLabels[service.name]?.labels ?? {};
      const route = routes.find(({ destinationSelector }) => includes(labels, destinationSelector, connectionLabels));
      return route ? [{ endpoint, weight: weightAmong(routes, route) }] : [];
    });
    if (found.length > 0) return found;
    if (fallthrough) continue;
    return metadata && routes.length === 0 ? evenly : [];
  }
  return [];
}

/** Where any route has a weight, a route without one gets no new connections. */
function weightAmong(routes: readonly Destination[], route: Destination): number {
  return routes.some(({ weight }) => weight > 0) ? route.weight : 1;
}

/** Whether the labels have every label of the selector, with its value or with its template's value for the connection. As in
 *  the sdk's IsSubset, a missing label equals an empty one, but there must not be fewer labels than the selector has. */
function includes(labels: Labels, selector: Labels, connectionLabels: Labels): boolean {
  const wanted = Object.entries(selector);
  if (Object.keys(labels).length < wanted.length) return false;
  return wanted.every(([name, value]) => {
    const label = labels[name] ?? '';
    return label === value || label === rendered(value, connectionLabels);
  });
}

/** The two forms of Go's text/template that selectors use, `{{.nodeName}}` and `{{ index . "app" }}`, with its results for a
 *  missing label. */
function rendered(template: string, labels: Labels): string {
  return template.replace(
    /\{\{-?\s*(?:\.([A-Za-z_]\w*)|index\s+\.\s+"([^"]*)")\s*-?\}\}/g,
    (_, field: string | undefined, key: string | undefined) =>
      field === undefined ? (labels[key ?? ''] ?? '') : (labels[field] ?? '<no value>'),
  );
}
