// SPDX-License-Identifier: Apache-2.0
// Builders of schemas: each checks a value, with the reason in words, and converts it to its canonical form if it has one.

import { z } from 'zod';
import { canonicalAddress } from './addresses.ts';
import { limits } from './limits.ts';
import * as checks from './value-checks.ts';

export const text = (check: checks.Check, description: string) =>
  z
    .string()
    .check((context) => {
      const complaint = check(context.value);
      if (complaint === undefined) return;
      const { reason, hint } = complaint;
      context.issues.push({ code: 'custom', message: reason, params: { hint }, input: context.value });
    })
    .meta({ description });

/** An address, or a network, as the kernel prints it. */
export const address = (check: checks.Check, description: string) =>
  text(check, description).overwrite(canonicalAddress).meta({ description });

export const mac = (description: string) =>
  text(checks.macAddress, description)
    .overwrite((value) => value.toLowerCase())
    .meta({ description });

export const whole = (least: number, most: number, description: string) =>
  z.int().min(least).max(most).meta({ description });

export const flag = (description: string) => z.boolean().meta({ description });

export const list = <Item extends z.ZodType>(item: Item, description: string) =>
  z.array(item).max(limits.addresses).default([]).meta({ description });

export const port = (description: string) => whole(1, 0xffff, description);

export const inode = (what: string) =>
  whole(
    1,
    Number.MAX_SAFE_INTEGER,
    `${what}, by the inode that \`ls -Li\` prints; netns beside it says where to look first`,
  );

type Filled<Shape> = { [Key in keyof Shape]: Shape[Key] extends z.ZodDefault<infer Inner> ? Inner : Shape[Key] };

/** The shape of a read document: keys with a default are present. */
export function filled<Shape extends z.core.$ZodShape>(shape: Shape): Filled<Shape> {
  const entries = Object.entries(shape).map(([key, field]) => [
    key,
    field instanceof z.ZodDefault ? field.unwrap() : field,
  ]);
  return Object.fromEntries(entries) as Filled<Shape>;
}
