// SPDX-License-Identifier: Apache-2.0
// Draws panels as SVG. Colours are CSS variables of the page, so that one picture works for light and dark mode. The width is
// 360, the width of a phone's screen, so that text keeps its size there.

import * as vega from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { Axis, Panel } from './panels.ts';
import type { RatioBar } from './ratio-bars.ts';

const width = 290;
const barWidth = 330;
const lineColours = Array.from({ length: 8 }, (_, index) => `var(--line-${index + 1})`);
const verdictColours = { 'target met': 'var(--met)', 'target missed': 'var(--missed)', 'no target': 'var(--quiet)' };

const look = {
  background: 'transparent',
  autosize: { type: 'pad' as const },
  config: {
    aria: false,
    font: 'system-ui, sans-serif',
    view: { stroke: null },
    axis: {
      labelColor: 'currentColor',
      titleColor: 'currentColor',
      domainColor: 'var(--rule)',
      tickColor: 'var(--rule)',
      gridColor: 'var(--grid)',
      labelFontSize: 11,
      titleFontSize: 11,
      titleFontWeight: 'normal' as const,
    },
    legend: {
      labelColor: 'currentColor',
      labelFontSize: 12,
      labelLimit: 280,
      title: null,
      orient: 'top' as const,
      columns: 1,
    },
    title: { color: 'currentColor', fontSize: 11, fontWeight: 'normal' as const, anchor: 'start' as const },
  },
};

// A percentile axis on which each further nine has the same width: the logarithm of 1 / (1 - p).
const nines = [1, 2, 10, 100, 1000, 10_000, 100_000, 1_000_000];
const percentileOfNines = "datum.value == 1 ? '0' : format(100 - 100 / datum.value, '~g')";

function horizontal(axis: Axis, points: readonly { readonly x: number }[]): object {
  const common = { field: 'x', title: axis, type: 'quantitative', scale: { type: 'log', nice: false } };
  const places = [...new Set(points.map(({ x }) => x))];
  switch (axis) {
    case 'frame bytes':
      return {
        ...common,
        type: 'ordinal',
        scale: { type: 'point', padding: 0.3 },
        axis: { labelAngle: 0, grid: false },
      };
    case 'wires':
      return { ...common, axis: { values: places, format: ',', grid: false, labelOverlap: 'greedy' } };
    case 'percentile': {
      const values = nines.filter((value) => value <= Math.max(...places));
      return { ...common, axis: { values, labelExpr: percentileOfNines, grid: false } };
    }
  }
}

// Tails are many times the median: a linear scale would show nothing else.
function vertical(axis: Axis, points: readonly { readonly y: number }[]): object {
  if (axis !== 'percentile')
    return { scale: { zero: true }, axis: { labelExpr: "format(datum.value, '~s')", tickCount: 5 } };
  const heights = points.map(({ y }) => y);
  const [least, most] = [Math.min(...heights) * 0.8, Math.max(...heights) * 1.25];
  const decades = [-4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((power) => 10 ** power);
  const steps = most / least > 1000 ? [1] : [1, 2, 5];
  const values = decades.flatMap((decade) => steps.map((step) => step * decade));
  return {
    scale: { type: 'log', domain: [least, most], nice: false },
    axis: { format: ',~r', values: values.filter((value) => value >= least && value <= most) },
  };
}

const labelMark = { type: 'text', align: 'left', fontSize: 11, color: 'currentColor' };

export async function lineChart({ axis, unit, points }: Panel): Promise<string> {
  // On an axis of nines the largest sample is at infinity; only the table shows it.
  const shown = axis === 'percentile' ? points.filter(({ x, y }) => x < 100 && y > 0) : points;
  const values = shown.map((point) => (axis === 'percentile' ? { ...point, x: 100 / (100 - point.x) } : point));
  const names = [...new Set(values.map(({ line }) => line))];
  const common = {
    x: horizontal(axis, values),
    color: { field: 'line', type: 'nominal', sort: names, scale: { domain: names, range: lineColours } },
  };
  const height = { field: 'y', type: 'quantitative', title: null, ...vertical(axis, values) };
  const spec = {
    ...look,
    width,
    height: 190,
    title: axis === 'percentile' ? `latency, ${unit}` : unit,
    data: { values },
    encoding: common,
    layer: [
      { mark: { type: 'line', strokeWidth: 2 }, encoding: { y: height } },
      {
        mark: { type: 'point', filled: true, size: 45, opacity: 1 },
        encoding: { y: height, shape: { field: 'line', type: 'nominal', sort: names, scale: { domain: names } } },
      },
      ...(values.some(({ least }) => least !== undefined) ? [rangeLayer(height)] : []),
    ],
  };
  return svgOf(spec, `${unit} by ${axis}: ${names.join(', ')}`);
}

function rangeLayer(height: object): object {
  return {
    mark: { type: 'rule', strokeWidth: 1.5, opacity: 0.7 },
    encoding: { y: { ...height, field: 'least' }, y2: { field: 'most' } },
  };
}

const barRow = 60;
const ratioTicks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.7, 0.8, 0.9, 1, 1.2, 1.4, 1.7, 2, 3, 5, 10, 20, 50, 100];
const barOffset = 18; // leaves room for the two lines above a bar

/** Ratios on a log scale from 1: for bars to the right the subject is better. The label of a bar is above it. */
export async function ratioChart(state: string, bars: readonly RatioBar[]): Promise<string> {
  const reach = bars.flatMap(({ ratio, least, most, target }) => [ratio, least, most, target ?? 1, 1]);
  const [least, most] = [Math.min(...reach) * 0.92, Math.max(...reach) * 1.08];
  const x = {
    type: 'quantitative',
    scale: { type: 'log', domain: [least, most], nice: false },
    title: 'ratio, log scale; right of 1 the subject is ahead',
    axis: { format: '~g', values: ratioTicks.filter((tick) => tick >= least && tick <= most), grid: false },
  };
  const y = { field: 'row', type: 'ordinal', axis: null };
  const one = { ...x, field: 'one' };
  const verdicts = Object.keys(verdictColours);
  const colours = { domain: verdicts, range: Object.values(verdictColours) };
  const color = { field: 'verdict', type: 'nominal', scale: colours, legend: null };
  const ink = { color: 'currentColor', yOffset: barOffset };
  const spec = {
    ...look,
    // vega cannot measure text here and assumes it too wide: its own padding would shrink the bars.
    autosize: { type: 'none' },
    padding: { left: 12, right: 12, top: 4, bottom: 40 },
    width: barWidth,
    height: { step: barRow },
    data: { values: bars.map((bar, row) => ({ ...bar, row, one: 1 })) },
    layer: [
      { mark: { type: 'tick', thickness: 1, size: 26, ...ink, color: 'var(--rule)' }, encoding: { y, x: one } },
      {
        mark: { type: 'bar', height: 13, yOffset: barOffset },
        encoding: { y, x: one, x2: { field: 'ratio' }, color },
      },
      {
        mark: { type: 'rule', strokeWidth: 1.5, ...ink },
        encoding: { y, x: { ...x, field: 'least' }, x2: { field: 'most' } },
      },
      ...(bars.some(({ target }) => target !== undefined) ? [targetLayer(x, y, ink)] : []),
      {
        mark: { ...labelMark, fontWeight: 'bold', dy: -15 },
        encoding: { y, x: { value: 0 }, text: { field: 'name' } },
      },
      { mark: labelMark, encoding: { y, x: { value: 0 }, text: { field: 'who' } } },
    ],
  };
  return svgOf(spec, `Ratios on the ${state} machine with their ranges and targets`);
}

function targetLayer(x: object, y: object, ink: object): object {
  return {
    transform: [{ filter: 'isValid(datum.target)' }],
    mark: { type: 'tick', thickness: 3, size: 22, ...ink },
    encoding: { y, x: { ...x, field: 'target' } },
  };
}

async function svgOf(spec: object, label: string): Promise<string> {
  const view = new vega.View(vega.parse(compile(spec as TopLevelSpec).spec), { renderer: 'none', logLevel: vega.Warn });
  const svg = await view.toSVG();
  view.finalize();
  // Without fixed width and height the picture takes its size from the page.
  return svg.replace(/^<svg[^>]*?(viewBox="[^"]*")[^>]*>/, (_, box: string) => {
    const name = label.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
    return `<svg ${box} role="img" aria-label="${name}">`;
  });
}
