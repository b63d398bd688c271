// SPDX-License-Identifier: Apache-2.0
// What holds for every plan, over generated wires.

import test from 'ava';
import fc from 'fast-check';
import { type Action, advance, inverse } from '../../../src/plan/action.ts';
import { plan } from '../../../src/plan/planner.ts';
import { nothing, sameNamespace, type WireState } from '../../../src/plan/state.ts';
import { anyWire, compiled, names, normal } from './plan-support.ts';

const pairs = fc.tuple(anyWire, anyWire);
const run = (state: WireState, actions: readonly Action[]) => actions.reduce(advance, state);

test('the plan for A→B makes B, and that for B→A brings back A', (t) => {
  fc.assert(
    fc.property(pairs, ([a, b]) => {
      const [from, to] = [compiled(a), compiled(b)];
      const there = run(from, plan(from, to, names));
      t.deepEqual(normal(there), normal(to));
      t.deepEqual(normal(run(there, plan(there, from, names))), normal(from));
    }),
    { numRuns: 500 },
  );
});

test('planning what is there yields nothing', (t) => {
  fc.assert(
    fc.property(pairs, ([a, b]) => {
      const from = compiled(a);
      const there = run(from, plan(from, compiled(b), names));
      t.deepEqual(plan(there, compiled(b), names), []);
    }),
    { numRuns: 500 },
  );
});

test('making from nothing and removing to nothing', (t) => {
  fc.assert(
    fc.property(anyWire, (wire) => {
      const wanted = compiled(wire);
      const made = run(nothing, plan(nothing, wanted, names));
      t.deepEqual(normal(made), normal(wanted));
      t.deepEqual(normal(run(made, plan(made, nothing, names))), normal(nothing));
    }),
  );
});

test('the inverse of the inverse is the action', (t) => {
  fc.assert(
    fc.property(pairs, ([a, b]) => {
      for (const action of plan(compiled(a), compiled(b), names)) t.deepEqual(inverse(inverse(action)), action);
    }),
  );
});

test('any prefix of a plan, undone in reverse, restores the state', (t) => {
  fc.assert(
    fc.property(pairs, fc.nat(), ([a, b], length) => {
      const from = compiled(a);
      const actions = plan(from, compiled(b), names);
      const prefix = actions.slice(0, length % (actions.length + 1));
      const undone = run(run(from, prefix), prefix.toReversed().map(inverse));
      t.deepEqual(normal(undone), normal(from));
    }),
    { numRuns: 500 },
  );
});

test('no two interfaces of one namespace share a name at any time, and every action finds what it starts from', (t) => {
  fc.assert(
    fc.property(pairs, ([a, b]) => {
      let state = compiled(a);
      for (const action of plan(state, compiled(b), names)) {
        if (action.kind === 'changeInterface')
          t.true(state.interfaces.some((one) => normalOne(one) === normalOne(action.from)));
        state = advance(state, action);
        const devices = [...state.interfaces, ...(state.devices ?? [])].flatMap(({ device }) => device?.pci ?? []);
        t.is(new Set(devices).size, devices.length, 'a device has one user at any time');
        for (const one of state.interfaces) {
          const namesakes = state.interfaces.filter(
            (other) => other.name === one.name && sameNamespace(other.namespace, one.namespace),
          );
          t.is(namesakes.length, 1);
        }
      }
    }),
    { numRuns: 500 },
  );
});

function normalOne(one: WireState['interfaces'][number]): string {
  return JSON.stringify(normal({ interfaces: [one] }));
}
