// SPDX-License-Identifier: Apache-2.0
// Formats a measurement as one or two lines for the terminal.

import type { Measurement } from './result.ts';

export function resultLine(measurement: Measurement): string {
  const { name, unit, summaries, dropped, skipped, rival, target, figures } = measurement;
  if (skipped !== undefined) return `  ${name}: skipped: ${skipped}`;
  const states = Object.entries(summaries).map(([state, { subject, rival: other, ratio, pairs }]) => {
    const own = `${number(subject.median)} ${unit}`;
    const against = rival
      ? ` against ${number(other.median)}: ${ratio.median.toFixed(2)} × (${ratio.least.toFixed(2)} to ${ratio.most.toFixed(2)})`
      : ` (${number(subject.least)} to ${number(subject.most)})`;
    return `  ${name}: ${own}${against}, ${counted(pairs)} in the ${state} state`;
  });
  if (states.length === 0) states.push(`  ${name}: no pair counts`);
  const notes = [
    ...(target === undefined ? [] : [`target ${number(target)}`]),
    ...(dropped > 0 ? [`${counted(dropped)} dropped`] : []),
    ...Object.entries(figures).map(([key, value]) => `${key} ${number(value)}`),
  ];
  return [...states, ...(notes.length > 0 ? [`    ${notes.join('; ')}`] : [])].join('\n');
}

const counted = (pairs: number) => (pairs === 1 ? '1 pair' : `${pairs} pairs`);

export function number(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const digits = Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 10 ? 1 : 3;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}
