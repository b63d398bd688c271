// SPDX-License-Identifier: Apache-2.0
// Finds the route for a method and path by comparing path segments.

import type { Route } from './route.ts';

export type Match =
  | { readonly kind: 'route'; readonly route: Route; readonly parameters: Readonly<Record<string, string>> }
  | { readonly kind: 'wrong-method'; readonly allowed: readonly string[] }
  | { readonly kind: 'unknown' };

export function matchRoute(routes: readonly Route[], method: string, path: string): Match {
  const fitting = routes
    .map((route) => ({ route, parameters: parametersOf(route.path, path) }))
    .filter((entry) => entry.parameters !== undefined) as { route: Route; parameters: Record<string, string> }[];
  const found = fitting.find(({ route }) => route.method === method);
  if (found) return { kind: 'route', ...found };
  if (fitting.length > 0) return { kind: 'wrong-method', allowed: fitting.map(({ route }) => route.method) };
  return { kind: 'unknown' };
}

function parametersOf(template: string, path: string): Record<string, string> | undefined {
  const wanted = template.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, segment] of wanted.entries()) {
    const value = given[index] as string;
    const name = /^\{(\w+)\}$/.exec(segment)?.[1];
    if (name === undefined && segment !== value) return undefined;
    if (name === undefined) continue;
    const decoded = decode(value);
    if (decoded === undefined || decoded === '') return undefined;
    parameters[name] = decoded;
  }
  return parameters;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // an invalid '%' escape: no wire has such a name
  }
}
