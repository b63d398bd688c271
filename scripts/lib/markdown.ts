// SPDX-License-Identifier: Apache-2.0

export type Row = readonly string[];

const cell = (text: string) => text.replaceAll('|', '\\|');
export const table = (head: Row, rows: readonly Row[]) =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |\n`).join('');
export const generated = (from: string) =>
  `<!-- Made by scripts/generate-docs.ts from ${from}. Change that, then run it. -->\n`;
export const code = (text: string) => `\`${text}\``;
