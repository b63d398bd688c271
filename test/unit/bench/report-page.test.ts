// SPDX-License-Identifier: Apache-2.0
// The page in a real browser, on a phone and on a screen, light and dark: it loads without complaints, shows data and is readable.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { htmlReport } from '../../../bench/report/html.ts';
import { exampleRun } from '../../support/bench-run.ts';
import { Browser } from '../../support/browser.ts';
import { testWith } from '../../support/requires.ts';

const top = mkdtempSync(join(tmpdir(), 'crosswire-page-'));
const page = join(top, 'report.html');
test.after.always(() => rmSync(top, { recursive: true }));

interface Chart {
  readonly title: string;
  /** Points, lines and bars that are visible. */
  readonly marks: number;
  readonly caption: string;
  readonly axes: string;
}

const charts = `[...document.querySelectorAll('figure')].map((figure) => ({
  title: figure.querySelector('h3').textContent,
  marks: [...figure.querySelectorAll('.mark-symbol path, .mark-line path, .mark-rect path')].filter((mark) => {
    const { width, height } = mark.getBoundingClientRect();
    return width + height > 0;
  }).length,
  caption: figure.querySelector('figcaption').textContent,
  axes: [...figure.querySelectorAll('svg text')].map((text) => text.textContent).join(' '),
}))`;

/** Words of a picture that overlap or extend beyond it. */
const collisions = `[...document.querySelectorAll('svg')].flatMap((svg) => {
  const whole = svg.getBoundingClientRect();
  const words = [...svg.querySelectorAll('text')].filter((text) => text.textContent.trim() !== '' &&
    text.getAttribute('opacity') !== '0').map((text) => [text.textContent, text.getBoundingClientRect()]);
  const out = words.filter(([, box]) => box.left < whole.left - 1 || box.right > whole.right + 1 ||
    box.top < whole.top - 1 || box.bottom > whole.bottom + 1).map(([word]) => word + ' sticks out');
  const over = words.flatMap(([word, a], i) => words.slice(i + 1).filter(([, b]) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3).map(([other]) => word + ' lies on ' + other));
  return [...out, ...over];
})`;

/** The contrast of the page's text as in WCAG 2.2, 1.4.3: at least 4.5. */
const contrast = `(() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/\\d+/g).map((byte) => byte / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const card = light(getComputedStyle(document.querySelector('figure')).backgroundColor);
  return Math.min(...[...document.querySelectorAll('h1, dt, figcaption, th, .met, .missed, svg text')].map((element) => {
    const style = getComputedStyle(element);
    const ink = light(element.tagName === 'text' && style.fill.startsWith('rgb') ? style.fill : style.color);
    return (Math.max(ink, card) + 0.05) / (Math.min(ink, card) + 0.05);
  }));
})()`;

testWith(['chromium'], 'the page loads clean and can be read', async (t) => {
  t.timeout(120_000, 'a browser starts');
  writeFileSync(page, await htmlReport(exampleRun()));
  const browser = await Browser.start();
  try {
    for (const width of [360, 1200])
      for (const scheme of ['light', 'dark'] as const) {
        const where = `${width} wide, ${scheme}`;
        t.deepEqual(await browser.open(page, { width, scheme }), [], where);
        t.true((await browser.evaluate<number>('document.documentElement.scrollWidth')) <= width, where);
        t.deepEqual(await browser.evaluate(collisions), [], where);
        const worst = await browser.evaluate<number>(contrast);
        t.true(worst >= 4.5, `${where}: contrast ${worst}`);
      }
    const drawn = await browser.evaluate<Chart[]>(charts);
    t.true(drawn.length >= 10);
    for (const { title, marks, caption, axes } of drawn) {
      t.true(marks >= 4, `${title}: ${marks} marks`);
      t.regex(`${axes} ${caption}`, /\d\.\d\d×/, title);
      t.regex(axes, /frames\/s|µs|cycles per frame|RSS MiB|ratio, log scale/, title);
      t.regex(axes, /frame bytes|percentile|wires|right of 1/, title);
    }
  } finally {
    await browser.stop();
  }
});

testWith(['chromium'], 'what is broken is seen', async (t) => {
  t.timeout(120_000, 'a browser starts');
  const broken = join(top, 'broken.html');
  const words = '<text x="5" y="20">one</text><text x="8" y="20">two</text><text x="150" y="20">three</text>';
  const script =
    '<script>console.error("odd"); fetch("nowhere.json").catch(() => {}); throw new Error("thrown")</script>';
  writeFileSync(broken, `<svg width="100" height="40" style="overflow: visible">${words}</svg>${script}`);
  const browser = await Browser.start();
  try {
    const complaints = (await browser.open(broken, { width: 360, scheme: 'light' })).join('\n');
    for (const expected of [/odd/, /asked for .*nowhere\.json/, /Uncaught/]) t.regex(complaints, expected);
    t.deepEqual(await browser.evaluate(collisions), ['three sticks out', 'one lies on two']);
  } finally {
    await browser.stop();
  }
});
