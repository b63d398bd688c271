// SPDX-License-Identifier: Apache-2.0
// Workloads that are gone, as distinct from those out of sight and those that a single scan missed.

import { mock } from 'node:test';
import test from 'ava';
import { ConnectionEventType } from '../../../src/nsm/generated/connection.ts';
import { Departures } from '../../../src/forwarder/connections/departures.ts';
import { alice, callOf, firstRequest, mallory, setting } from './service-support.ts';

function watching(...inUse: string[]) {
  const one = { there: [] as { device: number; inode: number }[], looks: 0, gone: [] as string[], inUse };
  const departures = new Departures({
    list: async () => {
      one.looks += 1;
      return one.there;
    },
    inUse: () => one.inUse,
    onGone: (url) => one.gone.push(url),
    onFailed: (error) => {
      throw error;
    },
  });
  return { one, departures, scan: () => departures.scan() };
}

test.serial('a look each second; soon where there is something new, or something was missed', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  let clock = 0;
  const { mock: reading } = mock.method(performance, 'now', () => clock);
  t.teardown(() => {
    mock.timers.reset();
    reading.restore();
  });
  const { one, departures } = watching('inode://4/1');
  const looksAfter = async (milliseconds: number) => {
    mock.timers.tick(milliseconds);
    await new Promise(setImmediate);
    return one.looks;
  };
  departures.arrived();
  t.is(await looksAfter(5_000), 0, 'not started');
  departures.start();
  t.is(await looksAfter(999), 0);
  t.is(await looksAfter(1), 1);
  departures.arrived();
  departures.arrived();
  one.there = [{ device: 4, inode: 1 }];
  t.is(await looksAfter(100), 2);
  t.is(await looksAfter(999), 2);
  one.there = [];
  t.is(await looksAfter(1), 3);
  t.is(await looksAfter(100), 4);
  t.deepEqual(one.gone, ['inode://4/1']);
  t.is(await looksAfter(999), 4);
  reading.mockImplementation(() => (clock += 10));
  t.is(await looksAfter(1), 5);
  t.is(await looksAfter(1_999), 5, 'that look took 10 ms');
  reading.mockImplementation(() => (clock += 1_000));
  t.is(await looksAfter(1), 6);
  t.is(await looksAfter(4_999), 6, 'the longest rest');
  t.is(await looksAfter(1), 7);
  departures.stop();
  t.is(await looksAfter(5_000), 7);
});

test('a namespace that was seen and is missed by two scans in a row is gone; it is reported once', async (t) => {
  const { one, scan } = watching('inode://4/1', 'inode://4/2');
  one.there = [
    { device: 4, inode: 1 },
    { device: 4, inode: 2 },
  ];
  await scan();
  one.there = [{ device: 4, inode: 2 }];
  await scan();
  t.deepEqual(one.gone, []);
  for (let count = 0; count < 3; count++) await scan();
  t.deepEqual(one.gone, ['inode://4/1']);
});

test('a namespace that one scan missed and the next one sees is there', async (t) => {
  const { one, scan } = watching('inode://4/1');
  for (let count = 0; count < 6; count++) {
    one.there = count % 2 === 0 ? [{ device: 4, inode: 1 }] : [];
    await scan();
  }
  t.deepEqual(one.gone, []);
});

test('a namespace that was never seen is not gone; the same inode of another file system is another', async (t) => {
  const { one, scan } = watching('inode://4/1');
  one.there = [{ device: 5, inode: 1 }];
  for (let count = 0; count < 5; count++) await scan();
  t.deepEqual(one.gone, []);
});

test('without connections there are no scans, and earlier namespaces are forgotten', async (t) => {
  const { one, scan } = watching('inode://4/1');
  one.there = [{ device: 4, inode: 1 }];
  await scan();
  one.inUse = [];
  await scan();
  t.is(one.looks, 1);
  [one.inUse, one.there] = [['inode://4/1'], []];
  for (let count = 0; count < 5; count++) await scan();
  t.deepEqual(one.gone, [], 'another namespace may have the number by now');
});

for (const [end, inode] of [
  ['client', alice.inode],
  ['endpoint', 1001],
] as const)
  test(`the ${end}'s namespace is gone: its connection is closed, at the next hop too; others stand`, async (t) => {
    const one = setting();
    await one.watching;
    const { service, namespaces, mesh, endpoint } = one;
    await service.request(firstRequest(alice), callOf(one));
    const stays = { ...mallory, inode: 103 };
    if (end === 'client') await service.request(firstRequest(stays), callOf(one));
    namespaces.push(...[alice.inode, stays.inode, 1001].map((each) => ({ device: 4, inode: each })));
    await service.scan();
    namespaces.splice(0, namespaces.length, ...namespaces.filter((each) => each.inode !== inode));
    await service.scan();
    await service.scan();
    // Calls for one wire are serialized: the next Request waits for the Close.
    await t.notThrowsAsync(service.request(firstRequest(alice, 'm-again'), callOf(one)));
    t.is(endpoint.closes.length, 1);
    t.is(one.events.filter(({ type }) => type === ConnectionEventType.DELETE).length, 1);
    t.is(service.connections().length, end === 'client' ? 2 : 1);
    t.is(mesh.files.open, end === 'client' ? 6 : 3);
  });
