// SPDX-License-Identifier: Apache-2.0
// A list of the interfaces of some wires, in the order of the wires. It is kept while it does not change, because the data
// plane recognises a long list and reads it faster.

import type { InterfaceState } from '../../plan/state.ts';

/** A wire of the roll. */
export interface Rolled {
  readonly interfaces: readonly { readonly state: InterfaceState }[];
}

export class Roll {
  readonly states: readonly InterfaceState[];
  readonly places: readonly { readonly netns: string; readonly name: string }[];
  /** The index of the first interface of each wire. */
  readonly firsts: readonly number[];
  readonly #wires: readonly Rolled[];

  constructor(wires: readonly Rolled[]) {
    const states: InterfaceState[] = [];
    const firsts: number[] = [];
    for (const { interfaces } of wires) {
      firsts.push(states.length);
      for (const { state } of interfaces) states.push(state);
    }
    this.states = states;
    this.firsts = firsts;
    this.places = states.map(({ namespace, name }) => ({ netns: namespace.path, name }));
    this.#wires = wires;
  }

  isOf(wires: readonly Rolled[]): boolean {
    if (wires.length !== this.#wires.length) return false;
    let row = 0;
    for (const [at, wire] of wires.entries()) {
      if (wire !== this.#wires[at]) return false;
      for (const { state } of wire.interfaces) if (state !== this.states[row++]) return false;
    }
    return row === this.states.length;
  }
}
