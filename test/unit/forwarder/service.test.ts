// SPDX-License-Identifier: Apache-2.0
// Request, refresh and Close over a FAKE mesh (test/fakes/mesh.ts): manager, endpoints, descriptors and wires are fakes;
// wire documents are parsed by the real rules. The real managers are in test/nsm.

import { Metadata } from '@grpc/grpc-js';
import test from 'ava';
import { Connection, ConnectionEventType, State } from '../../../src/nsm/generated/connection.ts';
import { wireNameOf } from '../../../src/nsm/wire/wire-name.ts';
import { FakeEndpoint, type FakeNextHop } from '../../fakes/mesh.ts';
import { counters } from '../../fakes/wires.ts';
import { alice, callOf, firstRequest, mallory, refresh, reselect, setting, settingOf } from './service-support.ts';

const wireOfAlice = wireNameOf(alice.id);
const tunnel = { address: '10.0.0.1', ports: { vxlan: 4789 }, mtu: 1500 };
const vxlanParameters = { src_ip: '10.0.0.1', src_port: '4789', dst_ip: '10.0.0.7', dst_port: '4789', vni: '2' };
const lastOf = <T>(all: readonly T[]) => all.at(-1) as T;

test('a Request makes one wire, and the answer is as the caller sees it', async (t) => {
  const one = setting();
  const answer = await one.service.request(firstRequest(alice), callOf(one));
  t.like(answer, {
    id: 'm-alice-0',
    networkServiceEndpointName: 'fw-1',
    payload: 'IP',
    state: State.UP,
    mechanism: { type: 'KERNEL', parameters: { inodeURL: 'inode://4/101', name: 'nsm-1' } },
    path: { index: 1 },
  });
  t.deepEqual(
    answer.path?.pathSegments.map(({ name }) => name),
    ['nsc', 'nsmgr', 'forwarder-1', 'fw-1'],
  );
  t.deepEqual([...one.wires.wires.keys()], [wireOfAlice]);
  t.like(one.wires.wires.get(wireOfAlice), {
    networkService: 'firewall',
    client: { pod: 'alice', mechanism: { namespace: { inode: 101 }, interface: 'nsm-1', addresses: ['10.0.0.2/32'] } },
    endpoint: { pod: 'fw-1', mechanism: { namespace: { inode: 1001 }, addresses: ['10.0.0.1/32'] } },
  });
  t.like(one.endpoint.requests[0]?.connection, { networkServiceEndpointName: 'fw-1', context: { MTU: 9000 } });
  t.deepEqual(
    one.endpoint.requests[0]?.mechanismPreferences.map(({ type }) => type),
    ['MEMIF', 'KERNEL'],
  );
  t.deepEqual(one.service.connections(), [
    {
      id: answer.path?.pathSegments[2]?.id as string,
      wire: wireOfAlice,
      networkService: 'firewall',
      index: 2,
      segments: 4,
      client: 'alice-0',
      clientInterface: 'KERNEL/nsm-1',
      endpointInterface: 'KERNEL/fw-1',
    },
  ]);
});

test('a hundred refreshes change nothing and keep one descriptor for each file', async (t) => {
  const one = setting();
  let answer = await one.service.request(firstRequest(alice), callOf(one));
  const held = one.mesh.files.open;
  for (let count = 0; count < 100; count++) answer = await one.service.request(refresh(answer), callOf(one));
  t.is(one.mesh.files.open, held);
  t.is(held, 3, 'the namespaces of client and endpoint, and the socket of the endpoint');
  t.is(one.endpoint.hops.length, 1, 'over the connection there is');
  const offered = (at: number) => one.endpoint.requests[at]?.mechanismPreferences.at(-1)?.parameters;
  t.deepEqual([offered(0), offered(1)], [{}, { name: 'if-fw-1' }], 'it hears what its interface is called');
  t.deepEqual(new Set(one.wires.applied.slice(1).map(({ outcome }) => outcome)), new Set(['unchanged']));
  t.is(one.service.connections().length, 1);
});

test('a connection to an endpoint that broke is made anew at the next refresh', async (t) => {
  const one = setting();
  const answer = await one.service.request(firstRequest(alice), callOf(one));
  one.endpoint.hops[0]?.close();
  await one.service.request(refresh(answer), callOf(one));
  t.is(one.endpoint.hops.length, 2);
});

test('a connection from before a certificate was renewed is made anew at the next refresh, and only then left', async (t) => {
  const one = setting();
  const answer = await one.service.request(firstRequest(alice), callOf(one));
  const [first] = one.endpoint.hops as [FakeNextHop];
  first.outdated = true;
  t.false(first.isClosed);
  await one.service.request(refresh(answer), callOf(one));
  t.is(one.endpoint.hops.length, 2);
  t.true(first.isClosed);
  t.false(one.endpoint.hops[1]?.isClosed);
  t.is(one.endpoint.closes.length, 0);
});

test('counters in the path are current', async (t) => {
  const one = setting();
  const answer = await one.service.request(firstRequest(alice), callOf(one));
  one.wires.numbers = counters({ rxBytes: 7n, drops: { tx_full: 2n } }, { txPackets: 9n });
  const { path } = await one.service.request(refresh(answer), callOf(one));
  t.like(path?.pathSegments[2]?.metrics, { server_rx_bytes: '7', server_drops: '2', client_tx_packets: '9' });
});

test('a wire that cannot be made: closed at the endpoint, given up, no connection and no file left', async (t) => {
  const one = setting();
  one.wires.failing.add(wireOfAlice);
  await t.throwsAsync(one.service.request(firstRequest(alice), callOf(one)), { code: 'NAMESPACE_MISSING' });
  t.is(one.endpoint.closes.length, 1);
  t.is(one.mesh.files.open, 0);
  t.true(one.endpoint.hops.every(({ isClosed }) => isClosed));
  t.deepEqual(one.service.connections(), []);
});

test('a refresh that fails leaves the connection established, reports DOWN, and holds no more files than before', async (t) => {
  const one = setting();
  const answer = await one.service.request(firstRequest(alice), callOf(one));
  const held = one.mesh.files.open;
  await one.watching;
  one.endpoint.answering = () => {
    throw new Error('not now');
  };
  for (let inode = 500; inode < 520; inode++) {
    const again = refresh(answer);
    (again.connection as Connection).mechanism = {
      cls: 'LOCAL',
      type: 'KERNEL',
      parameters: { inodeURL: `inode://4/${inode}`, name: 'nsm-1' },
    };
    await t.throwsAsync(one.service.request(again, callOf(one)), { message: 'not now' });
  }
  t.is(one.mesh.files.open, held);
  t.is(one.endpoint.closes.length, 0);
  t.is(one.service.connections().length, 1);
  t.like(Object.values(lastOf(one.events).connections)[0], { state: State.DOWN });
});

test('an endpoint that asks for NAT rules in its namespace is named in a warning, once', async (t) => {
  const one = setting();
  one.endpoint.answering = (answer) => {
    Object.assign(answer.mechanism?.parameters as object, {
      IPTables4NatTemplate: '-A PREROUTING',
      routeLocalNet: 'true',
    });
    return answer;
  };
  const answer = await one.service.request(firstRequest(alice), callOf(one));
  await one.service.request(refresh(answer), callOf(one));
  t.deepEqual(one.warnings, ['the endpoint asks for what is not done here: set it up there']);
});

test('two candidates, the first of which fails: the second gets the connection', async (t) => {
  const [first, second] = [new FakeEndpoint('fw-1', 1), new FakeEndpoint('fw-2', 2)];
  const one = setting(first, second);
  first.answering = second.answering = (answer) => {
    if (first.requests.length + second.requests.length === 1) throw new Error('full');
    return answer;
  };
  const answer = await one.service.request(firstRequest(alice), callOf(one));
  t.is(first.requests.length + second.requests.length, 2);
  t.is(first.closes.length + second.closes.length, 1, 'the half-made one is closed');
  t.is(answer.networkServiceEndpointName, second.closes.length === 0 ? 'fw-2' : 'fw-1');
  t.is(one.mesh.files.open, 3);
});

test('an unreachable endpoint costs no descriptor', async (t) => {
  const one = setting();
  one.endpoint.reachable = false;
  for (let count = 0; count < 10; count++)
    await t.throwsAsync(one.service.request(firstRequest(alice, `m-${count}`), callOf(one)));
  t.is(one.mesh.files.open, 0);
});

test('RESELECT closes the old connection before it makes the new one', async (t) => {
  const [first, second] = [new FakeEndpoint('fw-1', 1), new FakeEndpoint('fw-2', 2)];
  const one = setting(first, second);
  await one.watching;
  const before = await one.service.request(firstRequest(alice), callOf(one));
  const old = before.networkServiceEndpointName === 'fw-1' ? first : second;
  const after = await one.service.request(reselect(alice, before), callOf(one));
  t.is(old.closes.length, 1);
  t.not(after.networkServiceEndpointName, before.networkServiceEndpointName);
  t.is(after.path?.pathSegments[2]?.id, before.path?.pathSegments[2]?.id);
  t.deepEqual(
    one.events.map(({ type }) => type),
    [
      ConnectionEventType.INITIAL_STATE_TRANSFER,
      ConnectionEventType.UPDATE,
      ConnectionEventType.DELETE,
      ConnectionEventType.UPDATE,
    ],
  );
  t.is(one.wires.wires.size, 1);
  t.is(one.mesh.files.open, 3);
});

test('RESELECT leaves time for the new endpoint where the old one does not answer its Close', async (t) => {
  const one = setting();
  const before = await one.service.request(firstRequest(alice), callOf(one));
  one.endpoint.closing = () => new Promise(() => {});
  const awake = setInterval(() => {}, 1_000); // the timers of calls are unreferenced
  t.teardown(() => clearInterval(awake));
  const call = callOf(one, { milliseconds: 1_000 });
  t.is((await one.service.request(reselect(alice, before), call)).state, State.UP);
  t.deepEqual(one.warnings, ['the next hop did not take the Close']);
});

test('RESELECT does not wait for a node that is gone, though the connection to it seems open', async (t) => {
  const [gone, other] = [new FakeEndpoint('fw-1', 1), new FakeEndpoint('fw-2', 2)];
  gone.url = 'tcp://10.0.0.7:5001';
  gone.answering = (answer) => {
    return { ...answer, mechanism: { cls: 'REMOTE', type: 'VXLAN', parameters: vxlanParameters } };
  };
  const one = settingOf({ tunnel }, gone);
  const before = await one.service.request(firstRequest(alice), callOf(one));
  gone.closing = () => new Promise(() => {});
  gone.reachable = false;
  one.mesh.add(other);
  one.mesh.listed = (name) => name === 'fw-2';
  t.is((await one.service.request(reselect(alice, before), callOf(one))).networkServiceEndpointName, 'fw-2');
  t.is(gone.closes.length, 0, 'nothing was asked over the connection of before');
  t.deepEqual(one.warnings, ['the next hop did not take the Close']);
});

test('an endpoint of the same name somewhere else: the old one is closed first', async (t) => {
  const one = setting();
  const answer = await one.service.request(firstRequest(alice), callOf(one));
  const moved = new FakeEndpoint('fw-1', 7);
  one.mesh.endpoints.splice(0, 1, moved);
  await one.service.request(refresh(answer), callOf(one));
  t.is(one.endpoint.closes.length, 1);
  t.is(moved.requests.length, 1);
  t.is(one.mesh.files.open, 3);
});

test('an endpoint that is now reached by another manager, as a restarted one, gets no Close', async (t) => {
  const far = new FakeEndpoint('fw-1', 1);
  far.url = 'tcp://10.0.0.7:5001';
  const one = settingOf({ tunnel }, far);
  far.answering = (answer) => ({ ...answer, mechanism: { cls: 'REMOTE', type: 'VXLAN', parameters: vxlanParameters } });
  const answer = await one.service.request(firstRequest(alice), callOf(one));
  far.url = 'tcp://10.0.0.8:5001';
  await one.service.request(refresh(answer), callOf(one));
  t.deepEqual([far.requests.length, far.closes.length], [2, 0]);
  t.deepEqual(one.warnings, ['the previous endpoint did not take the Close']);
});

test('Close ends everything; for an unknown id it succeeds', async (t) => {
  const one = setting();
  const answer = await one.service.request(firstRequest(alice), callOf(one));
  await one.service.close(answer, callOf(one));
  t.like(one.endpoint.closes[0], { mechanism: { type: 'KERNEL' } });
  t.is(one.wires.wires.size, 0);
  t.is(one.mesh.files.open, 0);
  t.deepEqual(one.service.connections(), []);
  t.is(lastOf(one.events).type, ConnectionEventType.DELETE);
  await t.notThrowsAsync(one.service.close(answer, callOf(one)));
  t.is(one.endpoint.closes.length, 1);
});

test('a Close cannot name the connection of another at the endpoint', async (t) => {
  const one = setting();
  const answer = await one.service.request(firstRequest(alice), callOf(one));
  const naming = structuredClone(answer);
  Object.assign(naming.path?.pathSegments[3] as object, { id: 'of-another' });
  await one.service.close(naming, callOf(one));
  t.like(one.endpoint.closes[0], { path: { pathSegments: { 3: { id: 'fw-1-1' } } } });
});

for (const [what, prepare] of Object.entries({
  'is there': () => {},
  'is somewhere else now': ({ mesh, endpoint }: ReturnType<typeof setting>) => {
    endpoint.reachable = false;
    mesh.endpoints.push(new FakeEndpoint('fw-1', 7));
    mesh.endpoints.shift();
  },
  'is not registered any more': ({ mesh }: ReturnType<typeof setting>) => {
    mesh.listed = () => false;
  },
}))
  test(`Close after the connection to the next hop broke reaches the endpoint that ${what}`, async (t) => {
    const one = setting();
    const answer = await one.service.request(firstRequest(alice), callOf(one));
    one.endpoint.hops[0]?.close();
    prepare(one);
    const endpoint = one.mesh.endpoints[0] as FakeEndpoint;
    await one.service.close(answer, callOf(one));
    t.like(endpoint.closes[0], { mechanism: { type: 'KERNEL' }, path: { pathSegments: { 3: { id: 'fw-1-1' } } } });
    t.true(endpoint.hops.every(({ isClosed }) => isClosed));
    t.is(one.mesh.files.open, 0);
    t.deepEqual(one.warnings, []);
  });

test('Close while the next hop is dead removes everything here', async (t) => {
  const one = setting();
  const answer = await one.service.request(firstRequest(alice), callOf(one));
  one.endpoint.hops[0]?.close();
  one.endpoint.reachable = false;
  await one.service.close(answer, callOf(one));
  t.is(one.wires.wires.size, 0);
  t.is(one.mesh.files.open, 0);
  t.deepEqual(one.warnings, ['the next hop did not take the Close']);
});

test('a connection that is not refreshed ends when its caller’s token does', async (t) => {
  const one = setting();
  const gone = new Promise<void>((resolve) => {
    one.endpoint.closing = async () => resolve();
  });
  await one.service.request(firstRequest(alice), callOf(one, { lives: 2_100 }));
  await gone;
  t.deepEqual(one.service.connections(), []);
});

for (const [what, tell] of Object.entries({
  'a DELETE of the next hop': (endpoint: FakeEndpoint, connection: Connection) =>
    endpoint.tell({ type: ConnectionEventType.DELETE, connections: { [connection.id]: connection } }),
  'the end of its stream': (endpoint: FakeEndpoint) => endpoint.tell(undefined),
}))
  test(`${what} is DOWN for watchers; the connection stays until it is closed`, async (t) => {
    const one = setting();
    await one.service.request(firstRequest(alice), callOf(one));
    const down = new Promise<Connection | undefined>((resolve) => {
      void one.service.watch({
        selector: { pathSegments: [], networkServices: ['firewall'] },
        send: ({ type, connections }) => type === ConnectionEventType.UPDATE && resolve(Object.values(connections)[0]),
      });
    });
    tell(one.endpoint, one.endpoint.requests[0]?.connection as Connection);
    t.like(await down, {
      state: State.DOWN,
      path: { index: 2 },
      mechanism: { parameters: { inodeURL: 'inode://4/101' } },
    });
    t.is(one.service.connections().length, 1);
  });

test('events of the next hop are passed on with its segments of the path; events without a change are not', async (t) => {
  const one = setting();
  await one.service.request(firstRequest(alice), callOf(one));
  await one.watching;
  const seen = one.events.length;
  const answered = one.endpoint.answer({ ...firstRequest(alice), connection: one.endpoint.requests[0]?.connection });
  const event = (change: Partial<Connection>) =>
    one.endpoint.tell({
      type: ConnectionEventType.UPDATE,
      connections: { x: { ...answered, ...change } },
    });
  event({});
  await new Promise((resolve) => setImmediate(resolve));
  t.is(one.events.length, seen);
  const path = structuredClone(answered.path) as NonNullable<Connection['path']>;
  Object.assign(lastOf(path.pathSegments), { metrics: { server_interface: 'KERNEL/new' } });
  event({ state: State.REFRESH_REQUESTED, path });
  await new Promise((resolve) => setImmediate(resolve));
  const [told] = Object.values(lastOf(one.events).connections);
  t.like(told, { state: State.REFRESH_REQUESTED, path: { index: 2 } });
  t.is(told?.path?.pathSegments[3]?.metrics['server_interface'], 'KERNEL/new');
});

const hostile: Readonly<Record<string, (answer: Connection) => Connection>> = {
  'another id': (answer) => ({ ...answer, id: 'other' }),
  'another place on the path': (answer) => ({
    ...answer,
    path: { pathSegments: answer.path?.pathSegments ?? [], index: 1 },
  }),
  'no path': (answer) => ({ ...answer, path: undefined }),
  'another segment where ours was': (answer) => {
    const path = structuredClone(answer.path) as NonNullable<Connection['path']>;
    Object.assign(path.pathSegments[2] as object, { id: 'other' });
    return { ...answer, path };
  },
  'no mechanism': (answer) => ({ ...answer, mechanism: undefined }),
  'a mechanism that was not offered': (answer) => ({
    ...answer,
    mechanism: { cls: 'REMOTE', type: 'VXLAN', parameters: { src_ip: '10.0.0.1', dst_ip: '10.0.0.2', vni: '2' } },
  }),
  'no namespace': (answer) => ({ ...answer, mechanism: { cls: 'LOCAL', type: 'KERNEL', parameters: { name: 'x' } } }),
  'a namespace by path': (answer) => ({
    ...answer,
    mechanism: { cls: 'LOCAL', type: 'KERNEL', parameters: { inodeURL: 'file:///proc/1/ns/net', name: 'x' } },
  }),
  'memif at a socket file of ours': (answer) => ({
    ...answer,
    mechanism: {
      cls: 'LOCAL',
      type: 'MEMIF',
      parameters: { inodeURL: 'inode://4/9', socketfile: '/run/crosswire/control.sock' },
    },
  }),
};

for (const [what, answering] of Object.entries(hostile))
  test(`a next hop that answers with ${what} is not believed`, async (t) => {
    const one = setting();
    one.endpoint.answering = answering;
    await t.throwsAsync(one.service.request(firstRequest(alice), callOf(one)), { code: 'ANSWER_WRONG' });
    t.is(one.wires.wires.size, 0);
    t.is(one.mesh.files.open, 0);
    t.is(one.endpoint.closes.length, 1);
  });

test('a namespace whose descriptor never comes fails at the deadline, and holds nothing', async (t) => {
  const one = setting();
  one.mesh.files.neverSent.add('inode://4/101');
  await t.throwsAsync(one.service.request(firstRequest(alice), callOf(one, { milliseconds: 50 })));
  t.is(one.mesh.files.open, 0);
});

test('over TCP no namespace of this node can be named', async (t) => {
  const one = setting();
  const call = callOf(one);
  const { descriptors: _, ...caller } = call.caller;
  await t.throwsAsync(one.service.request(firstRequest(alice), { ...call, caller }), { code: 'MECHANISM_PARAMETER' });
  t.is(one.wires.wires.size, 0);
});

test('nobody takes over the connection or the wire of another client', async (t) => {
  const one = setting();
  const answer = await one.service.request(firstRequest(alice), callOf(one));
  const [before] = one.service.connections();
  const stolen = structuredClone(answer);
  Object.assign(stolen.path?.pathSegments[0] as object, {
    token: firstRequest(mallory).connection?.path?.pathSegments[0]?.token,
  });
  const attempts = {
    "alice's ids with mallory's token": refresh(stolen),
    "alice's first id on a path of its own": firstRequest({ ...mallory, id: alice.id }),
  };
  for (const [what, request] of Object.entries(attempts)) {
    await t.throwsAsync(one.service.request(request, callOf(one)), { code: 'CONNECTION_OF_ANOTHER' }, what);
    await t.throwsAsync(
      one.service.request(request, callOf(one, { from: mallory.spiffeId })),
      { code: 'CONNECTION_OF_ANOTHER' },
      what,
    );
  }
  await t.throwsAsync(one.service.close(stolen, callOf(one)), { code: 'CONNECTION_OF_ANOTHER' });
  const forged = callOf(one, { from: mallory.spiffeId });
  await t.throwsAsync(
    one.service.close(answer, forged),
    { code: 'CONNECTION_OF_ANOTHER' },
    'a token that is only copied',
  );
  t.deepEqual(one.service.connections(), [before]);
  t.is(one.wires.applied.length, 1);
});

test('a restarted manager may have another identity', async (t) => {
  const one = setting();
  const answer = await one.service.request(firstRequest(alice), callOf(one));
  one.mesh.managerId = 'spiffe://test/nsmgr-2';
  await t.notThrowsAsync(one.service.request(refresh(answer), callOf(one)));
});

test('a restarted client with new ids gets its wire back, and its previous connection cannot take it away', async (t) => {
  const one = setting();
  const before = await one.service.request(firstRequest(alice, 'm-1'), callOf(one));
  const after = await one.service.request(firstRequest(alice, 'm-2'), callOf(one));
  t.not(after.path?.pathSegments[2]?.id, before.path?.pathSegments[2]?.id);
  t.is(one.service.connections().length, 1);
  await one.service.close(before, callOf(one));
  t.is(one.wires.wires.size, 1);
  t.is(one.endpoint.closes.length, 1);
  t.is(one.mesh.files.open, 3);
});

test('calls for one connection queue; a stop ends timers and files but leaves wires', async (t) => {
  const one = setting();
  const answer = await one.service.request(firstRequest(alice), callOf(one));
  const many = await Promise.allSettled(
    Array.from({ length: 30 }, () => one.service.request(refresh(answer), callOf(one))),
  );
  t.is(many.filter(({ status }) => status === 'fulfilled').length, 16);
  t.like(many.at(-1), { reason: { code: 'TOO_MANY_CALLS' } });
  one.service.stop();
  t.is(one.mesh.files.open, 0);
  t.is(one.wires.wires.size, 1);
});

test('the next hop gets the trace of the call that leads to it, also of a queued call', async (t) => {
  const one = setting();
  const answer = await one.service.request(firstRequest(alice), callOf(one));
  const heard: unknown[] = [];
  one.endpoint.answering = (onward) => {
    const outgoing = new Metadata();
    one.tracing.propagate(outgoing);
    heard.push(...outgoing.get('traceparent'));
    return onward;
  };
  const traces = ['a', 'b', 'c'].map((letter) => `00-${letter.repeat(32)}-${'1'.repeat(16)}-01`);
  await Promise.all(
    traces.map((trace) => {
      const incoming = new Metadata();
      incoming.set('traceparent', trace);
      return one.tracing.answer('Request', incoming, () => one.service.request(refresh(answer), callOf(one)));
    }),
  );
  t.deepEqual(heard, traces);
});
