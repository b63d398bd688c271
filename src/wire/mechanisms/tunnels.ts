// SPDX-License-Identifier: Apache-2.0
// What tunnels have in common.

import { type Family, parseAddress } from '../values/addresses.ts';
import { invalid, type Problem } from '../values/problems.ts';
import type { TunnelReach, WrittenEnd, WrittenWire } from './mechanism.ts';

export function familyOf(address: string): Family {
  return address.includes(':') ? 6 : 4;
}

export function mtuProblems(
  { value }: WrittenEnd,
  { mtu }: WrittenWire,
  longest: TunnelReach<unknown>['longest'],
): Problem[] {
  const family = parseAddress(String(value['remote']))?.family;
  if (family === undefined || mtu === undefined || mtu <= longest[family]) return [];
  const reason = `${mtu} is more than ${longest[family]}, which with the headers of the tunnel fills an IPv${family} packet`;
  return [invalid(['spec', 'mtu'], 'value', reason)];
}
