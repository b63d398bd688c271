// SPDX-License-Identifier: Apache-2.0
// The demo's closing table: each wire, its path, its counters, and whether they add up to the last frame.

import { execFileSync } from 'node:child_process';
import Table from 'cli-table3';

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: bigint;
}

const url = process.argv[2] as string;
const text = await (await fetch(url)).text();

const samples: Sample[] = [];
for (const line of text.split('\n')) {
  const match = /^(crosswire_wire_\w+)\{(.*)\} (\d+)$/.exec(line);
  if (!match) continue;
  const labels = Object.fromEntries(
    [...(match[2] as string).matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
  );
  samples.push({ name: match[1] as string, labels, value: BigInt(match[3] as string) });
}

function sum(name: string, wire: string, end: string): bigint {
  return samples
    .filter(
      (sample) =>
        sample.name === `crosswire_wire_${name}` && sample.labels['wire'] === wire && sample.labels['end'] === end,
    )
    .reduce((total, sample) => total + sample.value, 0n);
}

function mebibytes(bytes: bigint): string {
  return `${(Number(bytes) / 2 ** 20).toFixed(1)} MiB`;
}

const wires = JSON.parse(execFileSync('./bin/crosswire', ['get', 'wires', '-o', 'json'], { encoding: 'utf8' })) as {
  name: string;
  path: string;
  client: { mechanism: string };
  endpoint: { mechanism: string };
}[];

const table = new Table({
  head: ['wire', 'path', 'direction', 'received', 'delivered', 'dropped', 'bytes', 'adds up'],
  colAligns: ['left', 'left', 'left', 'right', 'right', 'right', 'right', 'left'],
});
let allAddUp = true;
for (const wire of wires) {
  for (const [from, to] of [
    ['client', 'endpoint'],
    ['endpoint', 'client'],
  ] as const) {
    const received = sum('rx_packets_total', wire.name, from);
    const delivered = sum('tx_packets_total', wire.name, to);
    const dropped = sum('drops_total', wire.name, from);
    const addsUp = received === delivered + dropped;
    allAddUp &&= addsUp;
    const direction = `${from} (${wire[from].mechanism}) → ${to} (${wire[to].mechanism})`;
    const counts = [received, delivered, dropped].map(String);
    table.push([
      wire.name,
      wire.path,
      direction,
      ...counts,
      mebibytes(sum('rx_bytes_total', wire.name, from)),
      addsUp ? 'yes' : 'NO',
    ]);
  }
}
console.log(table.toString());
console.log('received = delivered + dropped, to the last frame: %s', allAddUp ? 'yes, on every wire' : 'NO');
console.log('\nA few lines of %s:', url);
const shown = text.split('\n').filter((line) => /^crosswire_wire_(rx_packets_total|info)\{/.test(line));
console.log(
  shown
    .slice(0, 8)
    .map((line) => `  ${line}`)
    .join('\n'),
);
process.exitCode = allAddUp ? 0 : 1;
