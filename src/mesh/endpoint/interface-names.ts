// SPDX-License-Identifier: Apache-2.0
// Names of interfaces: the first connection gets the plain name, further ones the name with a number.

/** IFNAMSIZ without its zero (linux/if.h). */
const longest = 15;

export class InterfaceNames {
  readonly #name: string;
  readonly #held = new Map<string, string>();

  constructor(name: string) {
    this.#name = name;
  }

  /** The name that the connection has; else the name that it `had`, if that is free; else the next. */
  take(id: string, had: string | undefined): string {
    const held = this.#held.get(id);
    if (held !== undefined) return held;
    const taken = new Set(this.#held.values());
    const isFree = (name: string) => !taken.has(name);
    let name = had !== undefined && this.#isOurs(had) && isFree(had) ? had : this.#name;
    for (let number = 2; !isFree(name); number += 1) name = this.#numbered(number);
    this.#held.set(id, name);
    return name;
  }

  free(id: string): void {
    this.#held.delete(id);
  }

  #numbered(number: number): string {
    const suffix = `-${number}`;
    return `${this.#name.slice(0, longest - suffix.length)}${suffix}`;
  }

  #isOurs(name: string): boolean {
    const [, number] = /-(\d{1,6})$/.exec(name) ?? [];
    return name === this.#name || (number !== undefined && name === this.#numbered(Number(number)));
  }
}
