// SPDX-License-Identifier: Apache-2.0
// Renders the ten counters of NSM's own forwarder for each connection. In NSM's forwarder the values are as old as the last
// refresh; here they are read for the scrape, and a series disappears with its connection.

import type { EndCounters, WireCounters } from '../model/status.ts';
import { nsmMetrics } from './catalogue.ts';
import type { ChunkWriter } from './chunk-writer.ts';
import type { MeshConnection } from './mesh-connection.ts';
import { heading, labelText } from './text-format.ts';

export async function renderNsm(
  counters: ReadonlyMap<string, WireCounters>,
  connections: Iterable<MeshConnection>,
  prefix: string,
  out: ChunkWriter,
): Promise<void> {
  const series: { labels: string; values: readonly bigint[] }[] = [];
  for (const connection of connections) {
    const both = counters.get(connection.wire);
    if (both === undefined) continue;
    // In the order of nsmMetrics: the side towards the next hop, which is the wire's endpoint end, comes first.
    const values = [...valuesOf(both.endpoint), ...valuesOf(both.client)];
    series.push({ labels: labelText(labelsOf(connection)), values });
    if (out.due) await out.pause();
  }
  for (const [index, metric] of nsmMetrics.entries()) {
    const name = prefix ? `${prefix}_${metric.name}` : metric.name;
    out.write(heading({ ...metric, name }));
    for (const { labels, values } of series) {
      out.write(`${name}{${labels}} ${values[index]}\n`);
      if (out.due) await out.pause();
    }
  }
}

function valuesOf({ rxBytes, txBytes, rxPackets, txPackets, drops }: EndCounters): bigint[] {
  return [rxBytes, txBytes, rxPackets, txPackets, Object.values(drops).reduce((sum, count) => sum + count, 0n)];
}

/** On one node a path has client, manager, forwarder and endpoint; a longer path leads to another node. */
const segmentsOnOneNode = 4;

/** If the path spans two nodes, each forwarder reports only the interface on its own node. */
function labelsOf(connection: MeshConnection): Record<string, string> {
  const { index, segments } = connection;
  const far = segments > segmentsOnOneNode;
  return {
    connection_id: connection.id,
    network_service: connection.networkService,
    nsc: connection.client,
    nsc_interface: far && index >= segmentsOnOneNode ? '' : connection.clientInterface,
    nse_interface: far && index < segmentsOnOneNode ? '' : connection.endpointInterface,
  };
}
