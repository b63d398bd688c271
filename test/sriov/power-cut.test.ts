// SPDX-License-Identifier: Apache-2.0
// A power cut before every step of borrowing a device and of giving it back: the next start has the complete wire, or everything
// in its original state. A step is a call that changes something in the kernel or on disk. After the cut, calls of the old
// forwarder have no effect and never return, as if its process were gone. Real processes would take minutes to start for
// every step here; nsm.test.ts kills a real daemon.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { LeaseJournal } from '../../src/machine/sriov/lease-journal.ts';
import { Sysfs } from '../../src/machine/sriov/sysfs.ts';
import { Namespace } from '../support/namespace.ts';
import { Forwarder, makeFunctions, netdevOf, nics, wire } from './support/forwarder.ts';

const own = '0000:01:10.2';
const changing = /^(write|erase|nextGeneration|change|move|mark|create|delete|grant|withdraw)/;
const never = new Promise<never>(() => {});

/** Counts steps; from the chosen step on, nothing happens any more. */
class Power {
  steps = 0;
  #cutAt = Infinity;
  readonly #off = Promise.withResolvers<void>();

  cutAt(step: number): Promise<void> {
    this.steps = 0;
    this.#cutAt = step;
    return this.#off.promise;
  }

  wired<T extends object>(part: T): T {
    return new Proxy(part, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          if (changing.test(String(name)) && ++this.steps >= this.#cutAt) {
            this.#off.resolve();
            return never;
          }
          return Reflect.apply(value, target, args) as unknown;
        };
      },
    });
  }
}

async function start(stateDirectory: string, power: Power): Promise<Forwarder> {
  return Forwarder.start({
    stateDirectory,
    dataplane: (one) => power.wired(one),
    parts: () => ({ sysfs: power.wired(new Sysfs()), journal: power.wired(new LeaseJournal(stateDirectory)) }),
    supervisorParts: (parts) => ({ ...parts, journal: power.wired(parts.journal) }),
  });
}

let before: object;
let b: Namespace;

test.before(async () => {
  await makeFunctions(2);
  b = await Namespace.make('b');
  const forwarder = await Forwarder.start();
  before = await forwarder.snapshot();
  await forwarder.stop();
});
test.after.always(async () => {
  await b?.remove();
  await makeFunctions(0);
});

const ends = {
  'an interface': () => ({
    kernel: { netns: b.path, interface: 'nsm-1', device: { pci: own, vlan: 7, spoofCheck: false } },
  }),
  'an application': () => ({ vfio: { device: { pci: own, vlan: 7 } } }),
};

for (const [what, end] of Object.entries(ends))
  for (const verb of ['apply', 'remove'] as const)
    test.serial(`kill -9 at every step, device of ${what}, ${verb}`, async (t) => {
      t.timeout(1_200_000);
      const document = () => wire('cut', end(), { vlan: { device: netdevOf(nics[0]), id: 7 } });
      let whole = 0;
      for (let at = 1; ; at++) {
        const left = await cutAt(t, verb, at, document());
        if (left === undefined) {
          t.true(at > 5);
          t.log(`${at - 1} steps; after ${whole} of the cuts the wire stood, after the others all was as before`);
          return;
        }
        if (left === 'whole') whole++;
      }
    });

/** undefined if there is no such step. */
async function cutAt(
  t: ExecutionContext,
  verb: 'apply' | 'remove',
  at: number,
  document: object,
): Promise<'whole' | 'nothing' | undefined> {
  const stateDirectory = await mkdtemp(join(tmpdir(), 'crosswire-cut-'));
  const power = new Power();
  const first = await start(stateDirectory, power);
  if (verb === 'remove') await first.mustApply(document);
  const off = power.cutAt(at).then(() => true);
  const work = verb === 'apply' ? first.mustApply(document) : first.supervisor.remove(['cut']);
  const isCut = await Promise.race([off, work.then(() => false)]);
  if (isCut) await first.killed();
  else {
    void power.cutAt(Infinity);
    await first.stop();
  }
  const next = await Forwarder.start({ stateDirectory });
  const phases = next.supervisor.list().map(({ phase }) => phase);
  if (phases.length > 0) t.deepEqual(phases, ['up'], `cut at step ${at}`);
  else t.deepEqual(await next.snapshot(), before, `cut at step ${at}`);
  await next.stop();
  t.deepEqual(await next.snapshot().catch(() => before), before, `removed after a cut at step ${at}`);
  await rm(stateDirectory, { recursive: true });
  if (!isCut) return undefined;
  return phases.length > 0 ? 'whole' : 'nothing';
}
