// SPDX-License-Identifier: Apache-2.0
// Values that never change once they are made.

export type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T;

export function freeze<T extends object>(value: T): Frozen<T> {
  for (const entry of Object.values(value)) if (typeof entry === 'object' && entry !== null) freeze(entry);
  return Object.freeze(value) as Frozen<T>;
}

/** Without keys that are undefined, so that wires compare and print as they are. */
export function tidy<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as T;
}

/** A copy without these keys. */
export function omit<T extends object, Key extends keyof T>(value: T, ...keys: readonly Key[]): Omit<T, Key> {
  const left = Object.entries(value).filter(([key]) => !keys.includes(key as Key));
  return Object.fromEntries(left) as Omit<T, Key>;
}
