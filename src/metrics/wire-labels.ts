// SPDX-License-Identifier: Apache-2.0
// The label texts of a wire, cached until the wire changes. The longer texts are made on demand only, because the rendered
// lines are cached too (render-wires.ts).

import type { DropReason } from '../model/drop-reason.ts';
import type { WireStatus } from '../wire/status.ts';
import type { EndName } from '../model/wire.ts';
import { possibleDrops } from './possible-drops.ts';
import { labelText } from './text-format.ts';

export interface EndText {
  readonly labels: string; // {wire="…",…}
  /** The drop reasons that are always shown, even at zero. */
  readonly drops: readonly DropReason[];
  readonly withReason: (reason: string) => string; // {wire="…",…,reason="…"}
}

export interface WireText {
  readonly client: EndText;
  readonly endpoint: EndText;
  readonly wire: () => string;
  readonly info: () => string;
}

/** The well-known labels with which NSM's managers say on which node and in which cluster the client is. */
const placeLabels = { node: 'nodeName', cluster: 'clusterName' } as const;

export class WireLabels {
  readonly #texts = new Map<string, { readonly status: WireStatus; readonly text: WireText }>();

  of(status: WireStatus): WireText {
    const kept = this.#texts.get(status.name);
    if (kept && (kept.status === status || sameLabels(kept.status, status))) return kept.text;
    const text = textOf(status);
    this.#texts.set(status.name, { status, text });
    return text;
  }

  /** Forgets wires that are gone. */
  keepOnly(statuses: readonly WireStatus[]): void {
    if (this.#texts.size <= statuses.length) return;
    const names = new Set(statuses.map(({ name }) => name));
    for (const name of this.#texts.keys()) if (!names.has(name)) this.#texts.delete(name);
  }
}

/** Whether everything that the label texts depend on is the same. */
function sameLabels(a: WireStatus, b: WireStatus): boolean {
  const sameOf = (end: EndName) =>
    a.spec[end].pod === b.spec[end].pod &&
    a.spec[end].namespace === b.spec[end].namespace &&
    a[end].mechanism === b[end].mechanism &&
    a[end].interface === b[end].interface &&
    a[end].socket === b[end].socket;
  const samePlace = Object.values(placeLabels).every((key) => a.spec.labels[key] === b.spec.labels[key]);
  const same = samePlace && a.spec.networkService === b.spec.networkService && a.spec.payload === b.spec.payload;
  return same && a.path === b.path && a.mtu === b.mtu && sameOf('client') && sameOf('endpoint');
}

function textOf(status: WireStatus): WireText {
  const { name, spec, path, mtu, client, endpoint } = status;
  const pods = labelText({
    network_service: spec.networkService ?? '',
    client_pod: spec.client.pod ?? '',
    client_namespace: spec.client.namespace ?? '',
    endpoint_pod: spec.endpoint.pod ?? '',
    endpoint_namespace: spec.endpoint.namespace ?? '',
  });
  const setting = { path, payload: spec.payload, client: client.mechanism, endpoint: endpoint.mechanism };
  const endText = (end: EndName): EndText => {
    const labels = `{${labelText({ wire: name, end })},${pods}}`;
    const withReason = (reason: string) => `${labels.slice(0, -1)},reason="${reason}"}`;
    return { labels, drops: possibleDrops(setting, end), withReason };
  };
  const info = () =>
    labelText({
      payload: spec.payload,
      mtu: String(mtu),
      path,
      client_mechanism: client.mechanism,
      endpoint_mechanism: endpoint.mechanism,
      client_interface: client.interface ?? '',
      endpoint_interface: endpoint.interface ?? '',
      client_socket: client.socket ?? '',
      endpoint_socket: endpoint.socket ?? '',
      client_node: spec.labels[placeLabels.node] ?? '',
      client_cluster: spec.labels[placeLabels.cluster] ?? '',
    });
  return {
    client: endText('client'),
    endpoint: endText('endpoint'),
    wire: () => `{${labelText({ wire: name })},${pods}}`,
    info: () => `{${labelText({ wire: name })},${pods},${info()}}`,
  };
}
