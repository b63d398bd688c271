// SPDX-License-Identifier: Apache-2.0
// The reports of a run for people: Markdown, and a self-contained page.

import test from 'ava';
import type { Measurement } from '../../../bench/harness/result.ts';
import { distributionsOf } from '../../../bench/report/distributions.ts';
import { htmlReport } from '../../../bench/report/html.ts';
import { markdownReport } from '../../../bench/report/markdown.ts';
import { panelsOver } from '../../../bench/report/panels.ts';
import { familyOf, rowsOf } from '../../../bench/report/rows.ts';
import { numberText } from '../../../bench/report/text.ts';
import { exampleRun, measured } from '../../support/bench-run.ts';

const run = exampleRun();

const rowIn = (markdown: string, start: string) => markdown.split('\n').find((line) => line.startsWith(start));

test('the table has every figure of both machine states', (t) => {
  const markdown = markdownReport(run);
  t.is(
    rowIn(markdown, '| memif-64/testpmd | crosswire | testpmd io | frames/s | fast'),
    '| memif-64/testpmd | crosswire | testpmd io | frames/s | fast | 28.40M (27.83M – 28.83M) | 18.10M (17.56M – 18.51M) | 1.57× (1.56 – 1.58) | ≥ 1.4× | yes | 5 | 1 |',
  );
  t.regex(
    rowIn(markdown, '| memif-64/testpmd | crosswire | testpmd io | frames/s | slow') ?? '',
    /17.75M .* yes \| 3 \| 1 \|$/,
  );
  t.regex(rowIn(markdown, '| memif-1500/testpmd |') ?? '', /1.31× .* ≥ 1.4× \| no \|/);
});

test('a figure without a rival is held against its bound', (t) => {
  t.regex(rowIn(markdownReport(run), '| idle-1000 |') ?? '', /– \| – \| ≤ 1 % of a core \| yes \| 5 \| 1 \|$/);
});

test('what was skipped says why, and what never settled says so', (t) => {
  const markdown = markdownReport(run);
  t.is(
    rowIn(markdown, '| memif-64/vpp |'),
    '| memif-64/vpp | crosswire | VPP | no vpp on PATH \\| give one by --vpp &lt;DIR> |',
  );
  t.regex(rowIn(markdown, '| first-frame |') ?? '', /neither .* 0 \| 9 \|$/);
});

test('targets are counted for each machine state', (t) => {
  const markdown = markdownReport(run);
  t.regex(markdown, /^On the fast machine 9 of 13 targets are met\.$/m);
  t.regex(markdown, /^On the slow machine 9 of 13 targets are met\.$/m);
});

test('a target is met from the target on, in the direction that is better', (t) => {
  const verdict = (facts: Partial<Measurement>, subject: number, rival: number) => {
    const measurement = measured(subject, rival, { name: 'm', title: 'm', unit: 'u', ...facts });
    return rowsOf(exampleRun({ measurements: [measurement] }))[0]?.verdict;
  };
  t.is(verdict({ rival: 'r', target: 2 }, 2, 1), 'met');
  t.is(verdict({ rival: 'r', target: 2 }, 1.9, 1), 'missed');
  t.is(verdict({ rival: 'r', target: 2, better: 'less' }, 1, 2), 'met');
  t.is(verdict({ target: 40, better: 'less' }, 40, 0), 'met');
  t.is(verdict({ target: 40, better: 'less' }, 41, 0), 'missed');
  t.is(verdict({ target: 40 }, 41, 0), 'met');
  t.is(verdict({}, 41, 0), undefined);
});

test('numbers keep the digits that mean something', (t) => {
  t.deepEqual([28_400_000, 9000, 1234.5, 38.24, 0.00085, 0, -12_345, NaN].map(numberText), [
    '28.40M',
    '9000',
    '1235',
    '38.2',
    '0.00085',
    '0',
    '-12.35k',
    '–',
  ]);
});

test('measurements that differ only in what they were measured at make one line', (t) => {
  t.is(familyOf(run.measurements[0] as Measurement), 'memif');
  const panels = panelsOver(run, 'frame bytes');
  t.deepEqual(
    panels.map(({ title }) => title),
    ['fast', 'slow'].map((state) => `memif to memif, n B frames: frames/s, ${state} machine`),
  );
  const line = panels[0]?.points.filter((point) => point.line === 'crosswire');
  t.deepEqual(
    line?.map(({ x, y }) => [x, y]),
    [
      [64, 28.4e6],
      [512, 17.2e6],
      [1500, 8.1e6],
      [9000, 1.62e6],
    ],
  );
});

test('by number of wires stand what a frame costs, what the process holds, and the rate that is left', (t) => {
  const panels = panelsOver(run, 'wires');
  t.deepEqual(
    panels.map(({ title }) => title),
    ['cycles per frame', 'RSS MiB', 'frames/s'].flatMap((unit) =>
      ['fast', 'slow'].map((state) => `10 active wires of n: ${unit}, ${state} machine`),
    ),
  );
  const [cost, , , , rate] = panels;
  t.deepEqual(
    cost?.points.map(({ line, x, y }) => [line, x, y]),
    [1, 10, 100, 1000].map((wires) => ['crosswire', wires, 36 + wires / 100]),
  );
  t.is(rate?.ratios.length, 1);
  t.regex(rate?.ratios[0] ?? '', /^crosswire against crosswire, 10 wires: 1\.02× .* at 1 wires, .* at 1000 wires$/);
});

test('Crosswire with another number of wires is a point of the same line', (t) => {
  const measurements = run.measurements.filter(({ wires }) => wires === 1000);
  const rate = panelsOver(exampleRun({ measurements }), 'wires').at(-1);
  t.deepEqual(
    rate?.points.map(({ line, x }) => [line, x]),
    [
      ['crosswire', 10],
      ['crosswire', 1000],
    ],
  );
});

test('latencies of all samples in one state make one panel with the ratios at every percentile', (t) => {
  const measurements = run.measurements.filter(({ name }) => name.startsWith('latency-10-'));
  const [panel, ...others] = panelsOver(exampleRun({ measurements }), 'percentile');
  t.is(others.length, 0, 'the same in both states here');
  t.is(panel?.title, 'one way at 10 %, fast and slow machine');
  t.deepEqual(
    panel?.points.filter(({ line }) => line === 'testpmd').map(({ x, y }) => [x, y]),
    [
      [0, 1.05],
      [50, 2],
      [75, 2],
      [90, 2],
      [99, 4.4],
      [99.9, 84.2],
      [100, 84.2],
    ],
  );
  t.deepEqual(
    panel?.ratios.map((text) => /\((latency[^)]*)\)/.exec(text)?.[1]),
    ['p50', 'p99'].flatMap((at) => ['fast', 'slow'].map((state) => `latency-10-${at}/testpmd, ${state}`)).toSorted(),
  );
});

test('latencies of another state, and of pairs that do not count, are left out', (t) => {
  const pair = { subject: 1, rival: 1, roundTrips: [100] };
  const of = (value: number) => ({ samples: { subject: { latencies: [[value, 1000] as const] } } });
  const base = measured(1, 1, { name: 'l', title: 'l', unit: 'µs' });
  const measurement: Measurement = {
    ...base,
    pairs: [
      { ...pair, ...of(1000), state: 'fast' },
      { ...pair, ...of(5000), state: 'slow' },
      { ...pair, ...of(9000), state: undefined },
    ],
  };
  const most = (state: 'fast' | 'slow') => distributionsOf(measurement, state)[0]?.points.at(-1);
  t.deepEqual(
    [most('fast'), most('slow')],
    [
      [100, 1],
      [100, 5],
    ],
  );
  t.is(
    distributionsOf(measurement, 'fast')[0]?.points.some(([at]) => at === 99.99),
    false,
    'of a thousand frames',
  );
});

test('the machine is described: its memory, its state before and after, and the pairs in each', (t) => {
  const markdown = markdownReport(run);
  t.regex(markdown, /^- machine: Example CPU @ 2\.50GHz, 2 CPUs, 7815 MiB$/m);
  t.regex(markdown, /^- versions: crosswire 0\.1\.0, /m);
  t.regex(
    markdown,
    /^- machine state: fast \(.* 95 ns, load 0\.4\) before, slow .*; pairs: \d+ fast, \d+ slow, 15 dropped$/m,
  );
  t.regex(markdown, /^\| memif-64 \| memif to memif, 64 B frames \|$/m);
});

test('a subject measured beside two rivals is one line with the whole range', (t) => {
  const beside = (rival: string, bytes: number, subject: number) =>
    measured(subject, 1, { name: `memif-${bytes}/${rival}`, title: '', unit: 'frames/s', rival, frameBytes: bytes });
  const measurements = [beside('a', 64, 100), beside('b', 64, 110), beside('a', 128, 90)];
  const [panel] = panelsOver(exampleRun({ measurements }), 'frame bytes');
  const own = panel?.points.filter(({ line, x }) => line === 'crosswire' && x === 64);
  t.is(own?.length, 1);
  t.like(own?.[0], { least: 98, most: 110 * 1.015 });
});

test('the page has its four kinds of chart, each with subject, rival and ratio', async (t) => {
  const page = await htmlReport(run);
  for (const title of ['Ratios', 'Throughput by frame size', 'Latency percentiles', 'Cost against number of wires'])
    t.true(page.includes(`<h2>${title}</h2>`), title);
  const figures = page.match(/<figure>.*?<\/figure>/gs) ?? [];
  t.is(figures.length, 12);
  for (const figure of figures) {
    t.regex(figure, /<svg viewBox="0 0 [^"]+" role="img" aria-label="[^"]+">/);
    t.regex(figure, /crosswire[^<]* (against|:) (testpmd(?: io)?|crosswire, 10 wires)[^<]*\d\.\d\d×/);
  }
  t.regex(page, /memif-1500\/testpmd<.*crosswire : testpmd io = 1\.31×</s);
});

test('the page needs nothing else: no script, no reference to another file or host', async (t) => {
  const page = await htmlReport(run);
  t.notRegex(page, /<script|<link|<img|<iframe|<object|javascript:|@import|\son\w+=/i);
  t.notRegex(page, /\b(?:src|href|xlink:href|action|srcset)\s*=/i);
  t.notRegex(page, /url\(/i);
  t.notRegex(page, /https?:/i);
  t.notRegex(page, /NaN|undefined|Infinity/);
});

test('the page serves phones and dark mode', async (t) => {
  const page = await htmlReport(run);
  t.regex(page, /<meta name="viewport" content="width=device-width, initial-scale=1">/);
  t.regex(page, /color-scheme: light dark/);
  // Every colour of a chart is a variable of the style sheet.
  for (const [, colour] of page.matchAll(/<(?:path|rect|text|line|g)\b[^>]*(?:fill|stroke)="([^"]+)"/g))
    t.regex(colour as string, /^(var\(--[a-z0-9-]+\)|currentColor|none|transparent)$/);
  const used = new Set([...page.matchAll(/var\((--[a-z0-9-]+)\)/g)].map(([, name]) => name as string));
  for (const name of used) t.is(page.split(`${name}:`).length - 1, 2, `${name} in both schemes`);
});

test('text from programs is shown, never run', async (t) => {
  const evil = '<script>alert(1)</script>"&';
  const measurement = measured(2, 1, { name: evil, title: evil, unit: evil, rival: evil, frameBytes: 64 });
  const measurements = [measurement, { ...measurement, frameBytes: 128 }, { ...measurement, skipped: evil }];
  const page = await htmlReport(exampleRun({ measurements }));
  t.notRegex(page, /<script/);
  t.true(page.includes('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&amp;'));
  t.notRegex(markdownReport(exampleRun({ measurements })), /<script/);
});

test('a run without a single measurement is still a report', async (t) => {
  const empty = exampleRun({ measurements: [] });
  t.notRegex(markdownReport(empty), /##|undefined/);
  t.notRegex(await htmlReport(empty), /<h2>|undefined/);
});
