// SPDX-License-Identifier: Apache-2.0
// Which addresses are pinged, and which silence is reported. The pings are FAKE; test/system/nsm-mesh.test.ts sends real ones.

import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { Connection } from '../../../src/nsm/generated/connection.ts';
import { Liveness, type Pinger } from '../../../src/mesh/client/liveness.ts';

const both = { srcIpAddrs: ['10.0.0.1/32', 'fd00::1/128'], dstIpAddrs: ['10.0.0.2/32', 'fd00::2/128'] };
const connectionOf = (ipContext: object, type = 'KERNEL') =>
  Connection.fromPartial({ mechanism: { type }, context: { ipContext } });

class FakePings {
  readonly begun: string[] = [];
  readonly running = new Map<string, Parameters<Pinger>[1]>();
  readonly pinger: Pinger = ({ from, to }, news) => {
    const way = `${from} ${to}`;
    this.begun.push(way);
    this.running.set(way, news);
    return () => this.running.delete(way);
  };
}

function setting(timeoutMilliseconds = 60_000) {
  const pings = new FakePings();
  const told: string[] = [];
  const { promise: silent, resolve } = Promise.withResolvers<void>();
  const liveness = new Liveness(
    { netns: '/ns', intervalMilliseconds: 1, timeoutMilliseconds },
    {
      pinger: pings.pinger,
      onSilence: (from, to) => {
        told.push(`${from} ${to}`);
        resolve();
      },
      onImpossible: (reason) => told.push(reason),
    },
  );
  return { pings, told, silent, liveness };
}

test('each own address pings each of the other side of its family; memif and no addresses ping nothing', (t) => {
  const { pings, liveness } = setting();
  t.teardown(() => liveness.stop());
  for (const nothing of [connectionOf(both, 'MEMIF'), connectionOf({ srcIpAddrs: ['10.0.0.1/32'] })]) {
    liveness.watch(nothing);
    t.is(liveness.alive, undefined);
  }
  liveness.watch(connectionOf(both));
  t.deepEqual(pings.begun, ['10.0.0.1 10.0.0.2', 'fd00::1 fd00::2']);
  t.true(liveness.alive);
});

test('a refresh goes on with the pings there are; other addresses replace them; stop ends all', (t) => {
  const { pings, liveness } = setting();
  liveness.watch(connectionOf(both));
  liveness.watch(connectionOf(both));
  t.is(pings.begun.length, 2);
  liveness.watch(connectionOf({ srcIpAddrs: ['10.0.1.1/32'], dstIpAddrs: ['10.0.1.2/32'] }));
  t.deepEqual([...pings.running.keys()], ['10.0.1.1 10.0.1.2']);
  liveness.stop();
  t.is(pings.running.size, 0);
});

test('one pair without an answer is silence, reported once; the next answer ends it, and so does a new connection', async (t) => {
  const { pings, told, silent, liveness } = setting(100);
  t.teardown(() => liveness.stop());
  liveness.watch(connectionOf(both));
  const answering = setInterval(() => pings.running.get('10.0.0.1 10.0.0.2')?.onAnswer(), 5);
  t.teardown(() => clearInterval(answering));
  await silent;
  t.deepEqual(told, ['fd00::1 fd00::2']);
  t.false(liveness.alive);
  pings.running.get('fd00::1 fd00::2')?.onAnswer();
  t.true(liveness.alive);
  while (told.length < 2) await sleep(5);
  t.false(liveness.alive);
  liveness.watch(connectionOf(both));
  t.true(liveness.alive);
});

test('pings that end by themselves begin again; impossible ones do not, and liveness is unknown', async (t) => {
  const { pings, told, liveness } = setting();
  t.teardown(() => liveness.stop());
  liveness.watch(connectionOf({ srcIpAddrs: ['10.0.0.1/32'], dstIpAddrs: ['10.0.0.2/32'] }));
  const way = '10.0.0.1 10.0.0.2';
  pings.running.get(way)?.onEnd('bind: Cannot assign requested address', true);
  while (pings.begun.length < 2) await sleep(5);
  t.deepEqual(told, []);
  pings.running.get(way)?.onEnd('nsenter: reassociate to namespaces failed', false);
  t.deepEqual(told, ['nsenter: reassociate to namespaces failed']);
  t.is(liveness.alive, undefined);
});
