// SPDX-License-Identifier: Apache-2.0
// -o table|json|yaml

import Table from 'cli-table3';
import { Option } from 'commander';
import { stringify } from 'yaml';

export type Format = 'table' | 'json' | 'yaml';

export const outputOption = (): Option =>
  new Option('-o, --output <format>', 'table for people, json and yaml for programs')
    .choices(['table', 'json', 'yaml'])
    .default('table');

export function render(format: Format, value: unknown, table: () => string): string {
  if (format === 'json') return `${JSON.stringify(value, null, 2)}\n`;
  if (format === 'yaml') return stringify(value, { aliasDuplicateObjects: false });
  return table();
}

const nothing = Object.fromEntries(
  ['top', 'bottom', 'left', 'right', 'mid'].flatMap((side) => [
    [side, ''],
    [`${side}-mid`, ''],
    [`${side}-left`, ''],
    [`${side}-right`, ''],
  ]),
);

/** Columns without lines, as narrow as possible, for grep, cut and narrow terminals. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const made = new Table({
    head: [...head],
    chars: { ...nothing, middle: '  ', 'left-mid': '', 'mid-mid': '' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  made.push(...rows.map((row) => row.map(printable)));
  return `${made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`;
}

/** Replaces control characters, so that text from elsewhere cannot control the terminal. */
// oxlint-disable-next-line no-control-regex -- the control characters are intended
export const printable = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');

/** 95 s → 95s, 3 days → 3d, as kubectl prints ages. */
export function age(since: string, now: number): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(since)) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
