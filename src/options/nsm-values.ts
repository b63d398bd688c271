// SPDX-License-Identifier: Apache-2.0
// Parses the values of environment variables in the same way as NSM's programs.

import type { RegistryPolicy } from '../model/registry-policy.ts';
import { isTrue } from './nsm-run-options.ts';
import { readRegistryPolicies } from './registry-policies.ts';

export type Reading<T> =
  | { readonly value: T; readonly warning?: string }
  | { readonly reason: string; readonly hint?: string };

export function text(value: string): Reading<string> {
  return value === '' ? { reason: 'is empty' } : { value };
}

export function anyText(value: string): Reading<string> {
  return { value };
}

export function directory(value: string): Reading<string> {
  const path = value.replace(/\/+$/, '');
  return path.startsWith('/') ? { value: path } : { reason: `'${value}' is no absolute path` };
}

export function unixUrl(value: string): Reading<string> {
  if (/^unix:(\/\/)?\/[^/]/.test(value)) return { value };
  return {
    reason: `'${value}' is no unix socket`,
    hint: 'like unix:///run/nsm.sock: a namespace goes as a descriptor',
  };
}

export function url(value: string): Reading<string> {
  const [, port] = /^tcp:\/\/.*:(\d{1,5})$/.exec(value) ?? [];
  if (/^unix:(\/\/)?\/[^/]/.test(value) || (port && Number(port) <= 65_535)) return { value };
  return { reason: `'${value}' is no address`, hint: 'like unix:///run/nsm.sock or tcp://host:5001' };
}

export function policies(value: string): Reading<readonly RegistryPolicy[]> {
  try {
    const { policies: known, unknown } = readRegistryPolicies(list(value));
    if (unknown.length === 0) return { value: known };
    return { value: known, warning: `Crosswire has no policy '${unknown.join("', '")}', and does not check it` };
  } catch (error) {
    return { reason: (error as SyntaxError).message };
  }
}

export function list(value: string): string[] {
  return value.split(',').flatMap((item) => item.trim() || []);
}

export function map(value: string): Reading<Record<string, string>> {
  const pairs = list(value).map((item) => /^([^:]+):(.*)$/.exec(item));
  const wrong = pairs.indexOf(null);
  if (wrong >= 0) return { reason: `'${list(value)[wrong]}' is not key:value` };
  return { value: Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? ''])) };
}

export function flag(value: string): Reading<boolean> {
  if (isTrue(value)) return { value: true };
  if (/^(false|0|f)$/i.test(value)) return { value: false };
  return { reason: `'${value}' is neither true nor false` };
}

/** A duration as Go's time.ParseDuration reads it, like 750ms, 10m or 1h30m, in milliseconds. */
export function duration(value: string): Reading<number> {
  const units: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  const parts = [...value.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)/g)];
  const milliseconds = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ''] ?? 0), 0);
  if (parts.map(([part]) => part).join('') === value && milliseconds > 0 && Number.isFinite(milliseconds))
    return { value: Math.ceil(milliseconds) };
  return { reason: `'${value}' is no duration`, hint: 'like 750ms, 30s or 10m' };
}
