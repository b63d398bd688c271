// SPDX-License-Identifier: Apache-2.0
// The label text of every wire, made once and kept while the wire lives unchanged.

import type { WireStatus } from '../model/status.ts';
import type { EndName } from '../model/wire.ts';
import { possibleDrops } from './possible-drops.ts';
import { labelText } from './text-format.ts';

export interface EndText {
  readonly labels: string; // {wire="…",…}
  /** Drop reason → {wire="…",…,reason="…"}, of the reasons that are always shown. */
  readonly drops: ReadonlyMap<string, string>;
}

export interface WireText {
  readonly wire: string;
  readonly info: string;
  readonly client: EndText;
  readonly endpoint: EndText;
  withReason(end: EndName, reason: string): string;
}

export class WireLabels {
  readonly #texts = new Map<string, { readonly status: WireStatus; readonly text: WireText }>();

  of(status: WireStatus): WireText {
    const kept = this.#texts.get(status.name);
    if (kept && sameLabels(kept.status, status)) return kept.text;
    const text = textOf(status);
    this.#texts.set(status.name, { status, text });
    return text;
  }

  /** Forgets wires that are gone. */
  keepOnly(names: ReadonlySet<string>): void {
    if (this.#texts.size <= names.size) return;
    for (const name of this.#texts.keys()) if (!names.has(name)) this.#texts.delete(name);
  }
}

/** Whether everything that label text is made of is the same. */
function sameLabels(a: WireStatus, b: WireStatus): boolean {
  const sameOf = (end: EndName) =>
    a.spec[end].pod === b.spec[end].pod &&
    a.spec[end].namespace === b.spec[end].namespace &&
    a[end].mechanism === b[end].mechanism &&
    a[end].interface === b[end].interface &&
    a[end].socket === b[end].socket;
  const same = a.spec.networkService === b.spec.networkService && a.spec.payload === b.spec.payload;
  return same && a.path === b.path && a.mtu === b.mtu && sameOf('client') && sameOf('endpoint');
}

function textOf({ name, spec, path, mtu, client, endpoint }: WireStatus): WireText {
  const pods = {
    network_service: spec.networkService ?? '',
    client_pod: spec.client.pod ?? '',
    client_namespace: spec.client.namespace ?? '',
    endpoint_pod: spec.endpoint.pod ?? '',
    endpoint_namespace: spec.endpoint.namespace ?? '',
  };
  const info = {
    payload: spec.payload,
    mtu: String(mtu),
    path,
    client_mechanism: client.mechanism,
    endpoint_mechanism: endpoint.mechanism,
    client_interface: client.interface ?? '',
    endpoint_interface: endpoint.interface ?? '',
    client_socket: client.socket ?? '',
    endpoint_socket: endpoint.socket ?? '',
  };
  const ends = {
    client: labelText({ wire: name, end: 'client', ...pods }),
    endpoint: labelText({ wire: name, end: 'endpoint', ...pods }),
  };
  const withReason = (end: EndName, reason: string) => `{${ends[end]},reason="${reason}"}`;
  const setting = { path, payload: spec.payload, client: client.mechanism, endpoint: endpoint.mechanism };
  const endText = (end: EndName): EndText => ({
    labels: `{${ends[end]}}`,
    drops: new Map(possibleDrops(setting, end).map((reason) => [reason, withReason(end, reason)])),
  });
  return {
    wire: `{${labelText({ wire: name, ...pods })}}`,
    info: `{${labelText({ wire: name, ...pods, ...info })}}`,
    client: endText('client'),
    endpoint: endText('endpoint'),
    withReason,
  };
}
