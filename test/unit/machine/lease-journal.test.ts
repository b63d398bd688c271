// SPDX-License-Identifier: Apache-2.0
// The journal of leases on a real file system.

import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { LeaseJournal } from '../../../src/machine/sriov/lease-journal.ts';
import type { Lease } from '../../../src/machine/sriov/lease.ts';

const lease: Lease = {
  format: 1,
  pci: '0000:01:10.0',
  generation: 1,
  state: 'taking',
  mark: 'crosswire/node/w/client',
  mode: 'kernel',
  settings: { mac: '02:00:00:00:00:01', vlan: 7 },
  driver: 'igbvf',
  companions: [],
  physicalFunction: '0000:01:00.0',
  index: 0,
  original: { settings: { mac: '52:54:00:00:00:01', vlan: 0 } },
  refused: [],
};

let directory: string;
test.beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'crosswire-leases-'));
});
test.afterEach.always(async () => rm(directory, { recursive: true, force: true }));

test.serial('a lease is read as it was written, by nobody else, and erased', async (t) => {
  const journal = new LeaseJournal(directory);
  await journal.load();
  await journal.write(lease);
  const file = join(directory, 'leases', '0000:01:10.0.json');
  t.is((await stat(file)).mode & 0o777, 0o600);
  t.deepEqual((await new LeaseJournal(directory).load()).leases, [lease]);
  await journal.erase(lease.pci);
  await journal.erase(lease.pci);
  t.deepEqual((await new LeaseJournal(directory).load()).leases, []);
});

test.serial(
  'no generation comes twice: not after the lease is erased, nor in another process, nor at once',
  async (t) => {
    const journal = new LeaseJournal(directory);
    await journal.load();
    const first = await Promise.all([journal.nextGeneration(), journal.nextGeneration()]);
    await journal.write(lease);
    await journal.erase(lease.pci);
    const next = new LeaseJournal(directory);
    await next.load();
    t.is(new Set([...first, await next.nextGeneration()]).size, 3);

    await journal.write({ ...lease, generation: 90 });
    await rm(join(directory, 'leases', 'generation'));
    const lost = new LeaseJournal(directory);
    await lost.load();
    t.is(await lost.nextGeneration(), 91);
  },
);

const broken: readonly [title: string, text: string][] = [
  ['not JSON', '{"format":1,'],
  ['another format', JSON.stringify({ ...lease, format: 2 })],
  ['another device', JSON.stringify({ ...lease, pci: '0000:01:10.2' })],
  ['no generation', JSON.stringify({ ...lease, generation: undefined })],
  ['no original', JSON.stringify({ ...lease, original: undefined })],
];

for (const [title, text] of broken) {
  test.serial(`set aside: ${title}`, async (t) => {
    const journal = new LeaseJournal(directory);
    await journal.load();
    await writeFile(join(directory, 'leases', '0000:01:10.0.json'), text);
    const { leases, corrupt } = await journal.load();
    t.deepEqual(leases, []);
    t.is(corrupt.length, 1);
    t.is(await readFile(corrupt[0]?.file ?? '', 'utf8'), text);
  });
}

test.serial('what was cut off while it was written is no lease', async (t) => {
  const journal = new LeaseJournal(directory);
  await journal.load();
  await writeFile(join(directory, 'leases', '0000:01:10.0.json.new'), '{"for');
  t.deepEqual(await journal.load(), { leases: [], corrupt: [] });
  t.deepEqual(await readdir(join(directory, 'leases')), []);
});
