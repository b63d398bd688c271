// SPDX-License-Identifier: Apache-2.0
// Makes labels for the data that SMP has no fields for.

import type { Measurement } from '../harness/result.ts';
import type { Row } from './rows.ts';
import type { Message } from './smp.ts';

type Labels = Readonly<Record<string, string | number | undefined>>;

export function resultLabels({ measurement, state, summary, verdict }: Row): Labels {
  const { name, unit, target, dropped, startedAt } = measurement;
  return {
    measurement: name,
    machine_state: state,
    unit,
    value: summary.subject.median,
    value_least: summary.subject.least,
    value_most: summary.subject.most,
    ...rivalLabels(measurement, summary),
    target,
    target_verdict: verdict,
    pairs: summary.pairs,
    pairs_dropped: dropped,
    // Set if the measurement has no times of its own.
    times_of: startedAt === undefined ? 'whole run' : undefined,
  };
}

function rivalLabels({ rival }: Measurement, summary: Row['summary']): Labels {
  if (rival === undefined) return {};
  const { least, median, most } = summary.ratio;
  return { rival, rival_value: summary.rival.median, ratio: median, ratio_least: least, ratio_most: most };
}

export function figureLabels({ figures }: Measurement): Labels {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [name.replaceAll(/\W+/g, '_'), value]));
}

export function texts(labels: Labels): Message {
  return Object.fromEntries(
    Object.entries(labels).flatMap(([name, value]) => (value === undefined ? [] : [[name, textOf(value)]])),
  );
}

/** 6.72, not 6.720000000000001. */
function textOf(value: string | number): string {
  return typeof value === 'number' ? String(Number(value.toPrecision(12))) : value;
}
