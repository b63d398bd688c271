// SPDX-License-Identifier: Apache-2.0
// Renders the six gauges of 2019. Each end is a source of traffic: its own pod is src, the other pod is dst. As in 2019, an
// end without all four names has no series, and the wires between the same two pods are summed up, because the labels do
// not name the wire. rx are the frames that entered the wire from that end, for every mechanism; the two forwarders of
// 2019 disagreed about that.

import type { EndCounters } from '../model/status.ts';
import type { End } from '../wire/wire.ts';
import { nsm2019Metrics } from './catalogue.ts';
import type { ChunkWriter } from './chunk-writer.ts';
import type { WireSamples } from './render-wires.ts';
import { heading, labelText } from './text-format.ts';

const counterNames = ['rxBytes', 'txBytes', 'rxPackets', 'txPackets', 'rxErrors', 'txErrors'] as const;

export async function renderNsm2019({ wires, counters: all }: WireSamples, out: ChunkWriter): Promise<void> {
  const sums = new Map<string, bigint[]>();
  for (const { name, spec } of wires) {
    const counters = all.get(name);
    if (counters === undefined) continue;
    const { client, endpoint } = spec;
    add(sums, client, endpoint, counters.client);
    add(sums, endpoint, client, counters.endpoint);
    if (out.due) await out.pause();
  }
  for (const [index, metric] of nsm2019Metrics.entries()) {
    out.write(heading(metric));
    for (const [labels, values] of sums) {
      out.write(`${metric.name}{${labels}} ${values[index]}\n`);
      if (out.due) await out.pause();
    }
  }
}

function add(sums: Map<string, bigint[]>, source: End, destination: End, counters: EndCounters): void {
  if (!source.pod || !source.namespace || !destination.pod || !destination.namespace) return;
  const labels = labelText({
    src_pod_name: source.pod,
    src_pod_namespace: source.namespace,
    dst_pod_name: destination.pod,
    dst_pod_namespace: destination.namespace,
  });
  const before = sums.get(labels);
  sums.set(
    labels,
    counterNames.map((name, index) => counters[name] + (before?.[index] ?? 0n)),
  );
}
