// SPDX-License-Identifier: Apache-2.0
// The Prometheus text format, version 0.0.4: families, labels, numbers.

import type { MetricRow } from './catalogue.ts';

export const contentType = 'text/plain; version=0.0.4; charset=utf-8';

export const escapeLabel = (value: string): string =>
  /[\\"\n]/.test(value) ? value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n') : value;

/** Labels like wire="a",end="client", without braces so that more labels can be appended. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`)
    .join();
}

export function heading({ name, type, help }: MetricRow): string {
  const escaped = help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
  return `# HELP ${name} ${escaped}\n# TYPE ${name} ${type}\n`;
}

export function family(
  metric: MetricRow,
  samples: readonly (readonly [Readonly<Record<string, string>>, string])[],
): string {
  const lines = samples.map(([labels, value]) => {
    const text = labelText(labels);
    return `${metric.name}${text ? `{${text}}` : ''} ${value}\n`;
  });
  return heading(metric) + lines.join('');
}

/** Nanoseconds as seconds, without rounding. */
export function seconds(nanoseconds: bigint): string {
  const fraction = (nanoseconds % 1_000_000_000n).toString().padStart(9, '0');
  return `${nanoseconds / 1_000_000_000n}.${fraction}`;
}
