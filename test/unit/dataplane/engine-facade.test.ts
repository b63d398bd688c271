// SPDX-License-Identifier: Apache-2.0
// Engine wires through the façade: plain data in and out, errors with codes, nothing left behind.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import { NativeDataplane } from '../../../src/dataplane/dataplane.ts';
import type { EngineWireId, TapLinkRequest } from '../../../src/dataplane/types.ts';
import { CrosswireError } from '../../../src/model/error.ts';
import { MemifRequests } from '../../support/memif-requests.ts';

const requests = new MemifRequests();
const dataplane = new NativeDataplane();
test.before(() => dataplane.start({ workers: 2 }));
test.after.always(async () => {
  await dataplane.close();
  requests.remove();
});

const missingTap: TapLinkRequest = {
  kind: 'tap',
  name: 'missing',
  netns: '',
  interface: 'cw-no-such-tap',
  payload: 'ethernet',
  mtu: 1500,
};

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setImmediate(resolve));
}
const up = (id: EngineWireId) => Object.values(dataplane.describeWire(id)).every((end) => end.up);

test.serial('two wires that are peers come up, are described, counted and stopped', async (t) => {
  const [server, client] = requests.pair();
  const ids = [await dataplane.startWire(server), await dataplane.startWire(client)];
  const waiting = dataplane.fingerprints();
  await until(() => ids.every(up));
  const connected = dataplane.fingerprints();
  t.deepEqual([...connected.keys()], ids);
  t.deepEqual(dataplane.fingerprints(), connected, 'as long as nothing changes');
  t.not(connected.get(ids[1]!), connected.get(ids[0]!), 'server and client are told apart');
  t.is(waiting.size, 2);
  const state = dataplane.describeWire(ids[0]!).client;
  t.like(state, { up: true, receiveRings: 1, transmitRings: 1, ringSize: 256, sessions: 1, refused: 0 });

  const counters = dataplane.readCounters();
  t.deepEqual(counters.ids, ids);
  t.is(counters.wordsPerEnd, 4 + dataplane.dropReasons.length);
  t.is(counters.words.length, 2 * 2 * counters.wordsPerEnd);
  t.true(counters.words.every((word) => word === 0n));
  t.deepEqual(dataplane.readCounters(ids[1]!).ids, [ids[1]!]);
  t.is(dataplane.readCounters(ids[1]!).words.length, 2 * counters.wordsPerEnd);

  const workers = dataplane.workerStatistics();
  t.deepEqual(
    workers.map(({ worker, wires, framesPerBurst }) => [worker, wires, framesPerBurst.length]),
    [
      [0, 1, 9],
      [1, 1, 9],
    ],
  );
  await dataplane.stopWire(ids[1]!);
  await until(() => !up(ids[0]!));
  t.not(dataplane.fingerprints().get(ids[0]!), connected.get(ids[0]!), 'the peer has gone');
  await dataplane.stopWire(ids[0]!);
  t.deepEqual(dataplane.readCounters().ids, []);
  t.deepEqual(dataplane.readCounters(ids[0]!).ids, []);
  t.is(dataplane.fingerprints().size, 0);
  t.false(existsSync(server.client.kind === 'memif' ? server.client.socket : ''));
  await t.throwsAsync(dataplane.stopWire(ids[0]!), { code: 'WIRE_MISSING', instanceOf: CrosswireError });
  t.throws(() => dataplane.describeWire(ids[0]!), { code: 'WIRE_MISSING', instanceOf: CrosswireError });
});

test.serial('an end is replaced: the old socket goes, the new one serves, the id stays', async (t) => {
  const request = requests.wire('server');
  const id = await dataplane.startWire(request);
  const [next, previous] = [requests.newSocket(), request.client.kind === 'memif' ? request.client.socket : ''];
  t.true(existsSync(previous));
  await dataplane.replaceEnd(id, 'client', requests.link(next, 'server'));
  t.true(existsSync(next));
  t.false(existsSync(previous));

  const peer = await dataplane.startWire(requests.wire('client', next));
  await until(() => dataplane.describeWire(id).client.up);
  await t.throwsAsync(dataplane.replaceEnd(id, 'client', missingTap), { code: 'TAP_MISSING' });
  t.true(dataplane.describeWire(id).client.up, 'a failed replacement changes nothing');
  await t.throwsAsync(dataplane.replaceEnd(id + 1000, 'client', requests.link(requests.newSocket(), 'server')), {
    code: 'WIRE_MISSING',
  });
  await t.throwsAsync(dataplane.replaceEnd(id, 'client', { ...requests.link(next, 'client'), payload: 'ip' }), {
    code: 'PAYLOAD_MISMATCH',
  });
  await dataplane.stopWire(peer);
  await dataplane.stopWire(id);
});

test.serial('a wire of which one end cannot be opened leaves nothing open', async (t) => {
  const { client, ...rest } = requests.wire('server');
  const error = await t.throwsAsync(dataplane.startWire({ ...rest, client, endpoint: missingTap }), {
    code: 'TAP_MISSING',
    instanceOf: CrosswireError,
  });
  t.is(error?.subject, 'cw-no-such-tap');
  t.false(existsSync(client.kind === 'memif' ? client.socket : ''));
  t.deepEqual(dataplane.readCounters().ids, []);
});

test.serial('wrong values are refused by the path of the field', async (t) => {
  const good = requests.wire('server');
  const refused = async (subject: string, change: object) => {
    const error = await t.throwsAsync(dataplane.startWire({ ...good, ...change }), { code: 'INVALID_ARGUMENT' });
    t.is((error as CrosswireError).subject, subject);
  };
  await refused('payload', { payload: 'atm' });
  await refused('client.kind', { client: { ...good.client, kind: 'vfio' } });
  await refused('client.role', { client: { ...good.client, role: 'peer' } });
  await refused('endpoint.id', { endpoint: { ...good.endpoint, id: -1 } });
  await refused('endpoint.mtu', { endpoint: { ...good.endpoint, mtu: 67 } });
  await refused('client', { client: null });
  await t.throwsAsync(dataplane.stopWire(1.5), { code: 'INVALID_ARGUMENT' });
  await t.throwsAsync(dataplane.replaceEnd(1, 'middle' as 'client', good.client), { code: 'INVALID_ARGUMENT' });
});

test.serial('200 wires come and go without a descriptor or a mapping left', async (t) => {
  const cycle = async () => {
    const ids = await Promise.all(requests.pair().map((request) => dataplane.startWire(request)));
    await until(() => ids.every(up));
    await Promise.all(ids.map((id) => dataplane.stopWire(id)));
  };
  const descriptors = () => readdirSync('/proc/self/fd').length;
  const mappings = () => readFileSync('/proc/self/maps', 'utf8').match(/memfd/g)?.length ?? 0;
  await cycle();
  const before = descriptors();
  for (let round = 0; round < 100; round++) await cycle();
  await until(() => descriptors() <= before && mappings() === 0);
  t.is(mappings(), 0);
});
