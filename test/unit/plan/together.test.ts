// SPDX-License-Identifier: Apache-2.0
// What holds for one plan of several wires that take resources from each other, over generated wires.

import test from 'ava';
import fc from 'fast-check';
import { advance, inverse } from '../../../src/plan/action.ts';
import { plan } from '../../../src/plan/planner.ts';
import type { NameChoice, WireState } from '../../../src/plan/state.ts';
import { groupByResources, planTogether, type Step, type WireChange } from '../../../src/plan/together.ts';
import { resourcesOf } from '../../../src/plan/unique.ts';
import type { Wire } from '../../../src/wire/wire.ts';
import { anyWire, compiled, kernel, names, normal, vxlan, wireOf } from './plan-support.ts';

const called = (wire: Wire, at: number): Wire => ({ ...wire, name: `w${at}` });

/** Those that two wires cannot have at any time; addresses and routes may be double for a while. */
const strict = (states: readonly WireState[]) =>
  states
    .flatMap((one) => [...new Set(resourcesOf(one))])
    .filter((key) => !key.startsWith('address ') && !key.startsWith('route '));

const hasNoneTwice = (keys: readonly string[]) => new Set(keys).size === keys.length;

const someWires = fc
  .array(anyWire, { minLength: 2, maxLength: 4 })
  .map((wires) => wires.map(called))
  .filter((wires) => hasNoneTwice(strict(wires.map(compiled))));

/** Every wire gets the ends of another one, so that as much as can be moves. */
const swaps = someWires.chain((wires) =>
  fc.tuple(
    fc.constant(wires),
    fc.shuffledSubarray(wires, { minLength: wires.length }).map((shuffled) => shuffled.map(called)),
  ),
);
const anyChanges = fc.oneof(swaps, fc.tuple(someWires, someWires));

function changesOf([before, after]: readonly [readonly Wire[], readonly Wire[]]): WireChange[] {
  return after.flatMap((wire, at) => {
    const old = before[at];
    return old ? [{ observed: compiled(old), wanted: compiled(wire), names: namesOf(at) }] : [];
  });
}

function namesOf(at: number): NameChoice {
  const own = ({ fresh, retired }: NameChoice['client']) => ({ fresh: `${fresh}${at}`, retired: `${retired}${at}` });
  return { client: own(names.client), endpoint: own(names.endpoint) };
}

const run = (states: readonly WireState[], steps: readonly Step[]): readonly WireState[] =>
  steps.reduce<readonly WireState[]>(
    (now, { at, action }) => now.map((one, wire) => (wire === at ? advance(one, action) : one)),
    states,
  );

test('every wire becomes what is wanted, and nothing is held twice at any time', (t) => {
  fc.assert(
    fc.property(anyChanges, (pair) => {
      const changes = changesOf(pair);
      let states: readonly WireState[] = changes.map(({ observed }) => observed);
      for (const step of planTogether(changes)) {
        states = run(states, [step]);
        t.true(hasNoneTwice(strict(states)), JSON.stringify(step));
      }
      t.deepEqual(
        states.map(normal),
        changes.map(({ wanted }) => normal(wanted)),
      );
    }),
    { numRuns: 1_000 },
  );
});

test('any prefix, undone in reverse, restores every wire', (t) => {
  fc.assert(
    fc.property(anyChanges, fc.nat(), (pair, length) => {
      const changes = changesOf(pair);
      const before = changes.map(({ observed }) => observed);
      const steps = planTogether(changes);
      const prefix = steps.slice(0, length % (steps.length + 1));
      const undo = prefix.toReversed().map(({ at, action }) => ({ at, action: inverse(action) }));
      t.deepEqual(run(run(before, prefix), undo).map(normal), before.map(normal));
    }),
    { numRuns: 500 },
  );
});

test('wires that take nothing from each other are planned as if each were alone', (t) => {
  fc.assert(
    fc.property(anyChanges, (pair) => {
      const changes = changesOf(pair);
      const groups = groupByResources(changes.map(({ observed, wanted }) => ({ before: [observed], after: wanted })));
      for (const [alone, ...others] of groups) {
        if (others.length > 0) continue;
        const { observed, wanted, names: chosen } = changes[alone as number] as WireChange;
        const own = planTogether(changes).filter(({ at }) => at === alone);
        t.deepEqual(
          own.map(({ action }) => action),
          plan(observed, wanted, chosen),
        );
      }
    }),
  );
});

const [a, b] = ['/run/netns/a', '/run/netns/b'] as const;
const group = (before: readonly Wire[], after: readonly Wire[]) =>
  groupByResources(after.map((wire, at) => ({ before: [compiled(before[at] as Wire)], after: compiled(wire) })));

test('wires are grouped along a chain of what they take, and no further', (t) => {
  const at = (name: string, wire: string) => ({ ...wireOf(kernel(a, name), kernel(b, name)), name: wire });
  const before = [at('one', 'x'), at('two', 'y'), at('three', 'z'), at('four', 'u')];
  const after = [at('two', 'x'), at('three', 'y'), at('five', 'z'), at('four', 'u')];
  t.deepEqual(group(before, after), [[0, 1, 2], [3]]);
});

test('a VNI that moves brings wires together, a remote that both have does not', (t) => {
  const at = (vni: number, wire: string) => ({ ...wireOf(kernel(a, wire), vxlan('192.0.2.2', { vni })), name: wire });
  t.deepEqual(group([at(6, 'x'), at(7, 'y')], [at(8, 'x'), at(6, 'y')]), [[0, 1]]);
  t.deepEqual(group([at(6, 'x'), at(7, 'y')], [at(8, 'x'), at(9, 'y')]), [[0], [1]]);
});

test('a default route that moves is given up first', (t) => {
  const at = (name: string, routes: { to: string }[]) => ({
    ...wireOf(kernel(a, name, { routes }), kernel(b, name)),
    name,
  });
  const [before, after] = [
    [at('x', [{ to: '0.0.0.0/0' }]), at('y', [])],
    [at('x', []), at('y', [{ to: '0.0.0.0/0' }])],
  ];
  t.deepEqual(group(before, after), [[0, 1]]);
  const [first] = planTogether(changesOf([before, after]));
  t.like(first, { at: 0, action: { kind: 'changeInterface', to: { routes: [] } } });
});
