// SPDX-License-Identifier: Apache-2.0
// Where in a YAML document a key is: line and column, counted from 1.

import { isAlias, isMap, isPair, isScalar, isSeq, type Document, type LineCounter, type Node } from 'yaml';
import type { KeyPath } from './values/problems.ts';

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The key or the value at `path`; of something missing, the nearest thing around it. */
export function positionOf(document: Document, lines: LineCounter, path: KeyPath, at: 'key' | 'value'): Position {
  let node: unknown = document.contents;
  let offset = isNode(node) ? start(node) : (document.range?.[0] ?? 0);
  for (const [depth, key] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    const pair = childOf(node, key);
    if (pair === undefined) break;
    const last = depth === path.length - 1;
    const useKey = isNode(pair.key) && (!isNode(pair.value) || !(last && at === 'value' && isScalar(pair.value)));
    offset = useKey ? start(pair.key as Node) : isNode(pair.value) ? start(pair.value) : offset;
    node = pair.value;
  }
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

function childOf(node: unknown, key: string | number): { key: unknown; value: unknown } | undefined {
  if (isMap(node))
    return node.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(key));
  if (isSeq(node) && typeof key === 'number') return { key: undefined, value: node.items[key] };
  return undefined;
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && 'range' in value;
const start = (node: Node): number => node.range?.[0] ?? 0;
