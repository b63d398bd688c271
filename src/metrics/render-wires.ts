// SPDX-License-Identifier: Apache-2.0
// The families of all wires. The format wants a family in one piece, so each family walks over all wires.

import type { EndCounters, WireCounters, WireStatus } from '../model/status.ts';
import { type EndName, endNames } from '../model/wire.ts';
import { wireMetrics } from './catalogue.ts';
import type { ChunkWriter } from './chunk-writer.ts';
import { heading } from './text-format.ts';
import type { WireLabels, WireText } from './wire-labels.ts';

/** Status and counters of one moment. */
export interface WireSample {
  readonly status: WireStatus;
  readonly counters: WireCounters | undefined; // a wire that was never made has none
}
interface Row extends WireSample {
  readonly text: WireText;
}

type CounterName = Exclude<keyof EndCounters, 'drops'>;

const counterFamilies: readonly [keyof typeof wireMetrics, CounterName][] = [
  ['crosswire_wire_rx_bytes_total', 'rxBytes'],
  ['crosswire_wire_tx_bytes_total', 'txBytes'],
  ['crosswire_wire_rx_packets_total', 'rxPackets'],
  ['crosswire_wire_tx_packets_total', 'txPackets'],
  ['crosswire_wire_rx_error_packets_total', 'rxErrors'],
  ['crosswire_wire_tx_error_packets_total', 'txErrors'],
];

export async function renderWires(samples: readonly WireSample[], labels: WireLabels, out: ChunkWriter): Promise<void> {
  const rows: Row[] = [];
  for (const sample of samples) {
    rows.push({ ...sample, text: labels.of(sample.status) });
    if (out.due) await out.pause();
  }
  labels.keepOnly(new Set(samples.map(({ status }) => status.name)));

  for (const [name, counter] of counterFamilies)
    await family(name, rows, out, ({ counters, text }) =>
      counters === undefined
        ? ''
        : `${name}${text.client.labels} ${counters.client[counter]}\n${name}${text.endpoint.labels} ${counters.endpoint[counter]}\n`,
    );
  await family('crosswire_wire_drops_total', rows, out, (row) => endNames.map((end) => drops(row, end)).join(''));
  await family('crosswire_wire_up', rows, out, ({ status, text }) => {
    const up = status.client.up && status.endpoint.up;
    return `crosswire_wire_up${text.wire} ${up ? 1 : 0}\n`;
  });
  await family('crosswire_wire_info', rows, out, ({ text }) => `crosswire_wire_info${text.info} 1\n`);
}

async function family(
  name: keyof typeof wireMetrics,
  rows: readonly Row[],
  out: ChunkWriter,
  lines: (row: Row) => string,
): Promise<void> {
  out.write(heading(wireMetrics[name]));
  for (const row of rows) {
    out.write(lines(row));
    if (out.due) await out.pause();
  }
}

function drops({ counters, text }: Row, end: EndName): string {
  if (counters === undefined) return '';
  const counted = counters[end].drops;
  const always = text[end].drops;
  let lines = '';
  for (const [reason, labels] of always) lines += `crosswire_wire_drops_total${labels} ${counted[reason] ?? 0n}\n`;
  for (const reason in counted)
    if (counted[reason] !== 0n && !always.has(reason))
      lines += `crosswire_wire_drops_total${text.withReason(end, reason)} ${counted[reason]}\n`;
  return lines;
}
