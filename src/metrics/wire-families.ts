// SPDX-License-Identifier: Apache-2.0
// The metric families of wires: the lines of a wire in each family, and when the lines are unchanged.

import type { EndCounters, WireCounters } from '../model/status.ts';
import type { WireStatus } from '../wire/status.ts';
import { type EndName, endNames } from '../model/wire.ts';
import { type MetricRow, wireMetrics } from './catalogue.ts';
import type { WireText } from './wire-labels.ts';

/** Everything that the lines of a wire depend on. */
export interface Row {
  readonly status: WireStatus;
  readonly text: WireText;
  readonly counters: WireCounters | undefined; // a wire that was never made has none
  readonly up: boolean;
}

export interface Family {
  readonly metric: MetricRow;
  readonly lines: (row: Row) => string;
  /** Whether the lines of two rows with the same `text` are equal. */
  readonly same: (before: Row, now: Row) => boolean;
}

type CounterName = Exclude<keyof EndCounters, 'drops'>;
const nameOfDrops = wireMetrics.crosswire_wire_drops_total.name;

export const families: readonly Family[] = [
  counterFamily('crosswire_wire_rx_bytes_total', 'rxBytes'),
  counterFamily('crosswire_wire_tx_bytes_total', 'txBytes'),
  counterFamily('crosswire_wire_rx_packets_total', 'rxPackets'),
  counterFamily('crosswire_wire_tx_packets_total', 'txPackets'),
  counterFamily('crosswire_wire_rx_error_packets_total', 'rxErrors'),
  counterFamily('crosswire_wire_tx_error_packets_total', 'txErrors'),
  {
    metric: wireMetrics.crosswire_wire_drops_total,
    lines: (row) => dropLines(row, 'client') + dropLines(row, 'endpoint'),
    same: ({ counters: before }, { counters: now }) =>
      before !== undefined && now !== undefined && endNames.every((end) => sameDrops(before[end], now[end])),
  },
  {
    metric: wireMetrics.crosswire_wire_up,
    lines: ({ text, up }) => `crosswire_wire_up${text.wire()} ${up ? 1 : 0}\n`,
    same: (before, now) => before.up === now.up,
  },
  {
    metric: wireMetrics.crosswire_wire_info,
    lines: ({ text }) => `crosswire_wire_info${text.info()} 1\n`,
    same: () => true,
  },
];

function counterFamily(name: keyof typeof wireMetrics, counter: CounterName): Family {
  return {
    metric: wireMetrics[name],
    lines: ({ counters, text: { client, endpoint } }) =>
      counters === undefined
        ? ''
        : `${name}${client.labels} ${counters.client[counter]}\n${name}${endpoint.labels} ${counters.endpoint[counter]}\n`,
    same: ({ counters: before }, { counters: now }) =>
      before?.client[counter] === now?.client[counter] && before?.endpoint[counter] === now?.endpoint[counter],
  };
}

function dropLines({ counters, text }: Row, end: EndName): string {
  if (counters === undefined) return '';
  const { drops: always, withReason } = text[end];
  const counted = counters[end].drops;
  let lines = '';
  for (const reason of always) lines += `${nameOfDrops}${withReason(reason)} ${counted[reason] ?? 0n}\n`;
  for (const reason in counted)
    if (counted[reason] !== 0n && !always.some((shown) => shown === reason))
      lines += `${nameOfDrops}${withReason(reason)} ${counted[reason]}\n`;
  return lines;
}

function sameDrops({ drops: before }: EndCounters, { drops: now }: EndCounters): boolean {
  for (const reason in now) if ((before[reason] ?? 0n) !== now[reason]) return false;
  return true;
}
