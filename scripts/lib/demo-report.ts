// SPDX-License-Identifier: Apache-2.0
// Runs the demo's traffic, samples the metrics meanwhile, and prints the final table: each wire, its path, its rate,
// its counters, and whether every frame is accounted for.
//   node demo-report.ts METRICS-URL COMMAND

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import Table from 'cli-table3';

const [url, command] = process.argv.slice(2) as [string, string];
const interval = 500; // milliseconds between samples

interface Wire {
  readonly name: string;
  readonly path: string;
  readonly client: { mechanism: string };
  readonly endpoint: { mechanism: string };
}

/** Samples of crosswire_wire_* by `name wire end`, drops summed over their reasons. */
async function scrape(): Promise<{ text: string; values: Map<string, bigint> }> {
  const text = await (await fetch(url)).text();
  const values = new Map<string, bigint>();
  for (const [, name, labels, value] of text.matchAll(/^crosswire_wire_(\w+)\{(.*)\} (\d+)$/gm)) {
    const label = (key: string) => new RegExp(`(?:^|,)${key}="([^"]*)"`).exec(labels as string)?.[1] ?? '';
    const key = `${name} ${label('wire')} ${label('end')}`;
    values.set(key, (values.get(key) ?? 0n) + BigInt(value as string));
  }
  return { text, values };
}

const peaks = new Map<string, number>(); // bits per second that a wire delivered to an end
async function watch(): Promise<void> {
  const traffic = spawn(command, { stdio: 'inherit' });
  const ended = once(traffic, 'exit');
  let before = await scrape();
  let then = performance.now();
  while (traffic.exitCode === null) {
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, interval))]);
    const after = await scrape();
    const now = performance.now();
    for (const [key, value] of after.values) {
      const rate = (Number(value - (before.values.get(key) ?? 0n)) * 8000) / (now - then);
      if (key.startsWith('tx_bytes_total') && now - then > interval / 2)
        peaks.set(key, Math.max(rate, peaks.get(key) ?? 0));
    }
    [before, then] = [after, now];
  }
  if (traffic.exitCode !== 0) throw new Error(`${command} ended with ${traffic.exitCode}`);
}

const rateText = (bits: number) =>
  bits >= 1e9 ? `${(bits / 1e9).toFixed(1)} Gbit/s` : `${(bits / 1e6).toFixed(1)} Mbit/s`;

await watch();
const { text, values } = await scrape();
const wires = JSON.parse(
  execFileSync('./bin/crosswire', ['get', 'wires', '-o', 'json'], { encoding: 'utf8' }),
) as Wire[];
const table = new Table({
  style: { head: [], border: [], compact: true },
  head: ['wire', 'path', 'direction', 'received', 'delivered', 'dropped', 'peak rate', 'adds up'],
  colAligns: ['left', 'left', 'left', 'right', 'right', 'right', 'right', 'left'],
});
let allAddUp = true;
for (const wire of wires) {
  const ways = [['client', 'endpoint'] as const, ['endpoint', 'client'] as const];
  for (const [from, to] of ways) {
    const value = (name: string, end: string) => values.get(`${name} ${wire.name} ${end}`) ?? 0n;
    const counts = [
      value('rx_packets_total', from),
      value('tx_packets_total', to),
      value('drops_total', from),
    ] as const;
    const addsUp = counts[0] === counts[1] + counts[2];
    allAddUp &&= addsUp;
    const direction = `${from} (${wire[from].mechanism}) → ${to} (${wire[to].mechanism})`;
    const rate = rateText(peaks.get(`tx_bytes_total ${wire.name} ${to}`) ?? 0);
    table.push([wire.name, wire.path, direction, ...counts.map(String), rate, addsUp ? 'yes' : 'NO']);
  }
}
console.log(table.toString());
console.log('received = delivered + dropped, to the last frame: %s', allAddUp ? 'yes, on every wire' : 'NO');
console.log('\nA few lines of %s:', url);
const shown = text
  .split('\n')
  .filter((line) => /^crosswire_wire_(tx_bytes_total|drops_total)\{wire="(client-to|nsm)-/.test(line));
console.log(
  shown
    .slice(0, 6)
    .map((line) => `  ${line}`)
    .join('\n'),
);
process.exitCode = allAddUp ? 0 : 1;
