// SPDX-License-Identifier: Apache-2.0
// h: attacks by a member of the mesh: each is refused or bounded, and the wires of others carry on.

import { once } from 'node:events';
import { connect } from 'node:net';
import { status } from '@grpc/grpc-js';
import type { ExecutionContext } from 'ava';
import {
  MonitorConnectionService,
  MonitorScopeSelector,
  type PathSegment,
} from '../../src/nsm/generated/connection.ts';
import { eventually } from '../support/shell.ts';
import { Attacker } from './support/attacker.ts';
import type { Forwarder } from './support/forwarder.ts';
import type { Mesh } from './support/mesh.ts';
import { count } from './support/programs.ts';
import { Requester } from './support/requester.ts';
import { scenario } from './support/scenario.ts';
import { Pings } from './support/traffic.ts';

type Attack = (t: ExecutionContext, attacker: Attacker, forwarder: Forwarder, mesh: Mesh) => Promise<void>;

harmless('descriptors that never come', async (t, attacker) => {
  const token = await attacker.token();
  const calls = Array.from({ length: 50 }, (_, index) =>
    attacker.request(attacker.connection(), token, `inode://4/${index + 1}`, 3),
  );
  for (const code of await Promise.all(calls)) t.not(code, status.OK);
});

harmless('oversized messages', async (t, attacker) => {
  const token = await attacker.token();
  const connection = attacker.connection();
  connection.labels = { huge: 'x'.repeat(32 << 20) };
  t.not(await attacker.request(connection, token, '', 15), status.OK);
});

harmless('ten thousand streams', async (t, attacker, forwarder) => {
  const { path, requestSerialize, responseDeserialize } = MonitorConnectionService.monitorConnections;
  const before = await forwarder.residentMegabytes();
  const streams = Array.from({ length: 10_000 }, () =>
    attacker.client
      .makeServerStreamRequest(path, requestSerialize, responseDeserialize, MonitorScopeSelector.create())
      .on('error', () => undefined)
      .on('data', () => undefined),
  );
  await Promise.race([once(streams[0] as (typeof streams)[0], 'data'), once(streams[0] as (typeof streams)[0], 'end')]);
  const after = await forwarder.residentMegabytes();
  t.log(`resident memory from ${before} to ${after} MB`);
  t.true(after - before < 200);
  for (const stream of streams) stream.cancel();
});

harmless('slow loris: three hundred connections that say nothing', async (_t, _attacker, forwarder) => {
  const sockets = Array.from({ length: 300 }, () => connect(forwarder.listenUrl.replace('unix://', '')));
  // Refused at once, or closed at the time limit of a handshake.
  await Promise.all(sockets.map((socket) => once(socket.on('error', () => undefined).resume(), 'close')));
});

harmless("ids of others: Close with the victim's connection", async (t, attacker, forwarder) => {
  const [client, , own] = (await victimPath(attacker)).pathSegments as [PathSegment, PathSegment, PathSegment];
  const token = await attacker.token();
  const stolen: Record<string, ReturnType<Attacker['connection']>> = {
    'the id under which the forwarder keeps it': attacker.connection([], [own]),
    'the id that names its wire': attacker.connection([client], [own]),
  };
  for (const [what, connection] of Object.entries(stolen)) {
    await attacker.close(connection, token);
    t.is((await forwarder.wires()).length, 1, what);
  }
  t.is(await attacker.request(stolen['the id that names its wire'] as never, token), status.PERMISSION_DENIED);
});

harmless("ids of others: a connection of the victim's name", async (t, _attacker, forwarder, mesh) => {
  const requester = await Requester.start(mesh, 'attacker', forwarder.listenUrl);
  const where = await mesh.namespace('attacker');
  // Ids are scoped to their caller: this is another wire.
  const answer = await requester.request({ service: 'svc-1', where, interface: 'nsm-9', id: 'nsc-1-0' });
  t.is((await forwarder.wires()).length, 2);
  await requester.close(answer, where);
  await requester.end();
});

harmless("ids of others: the victim's whole path, with tokens of the attacker's making", async (t, attacker) => {
  const [client, manager, own] = (await victimPath(attacker)).pathSegments as [PathSegment, PathSegment, PathSegment];
  const asManager = await attacker.token({ sub: 'spiffe://test.nsm/nsmgr-node1' });
  const forgedClient = await attacker.token({ sub: 'spiffe://test.nsm/nsc-1', aud: [attacker.self.spiffeId] });
  const paths = {
    'tokens as they were seen, and one in the name of the manager': { client, token: asManager },
    "the client's token forged for the attacker": {
      client: { ...client, token: forgedClient },
      token: await attacker.token(),
    },
  };
  for (const [what, path] of Object.entries(paths)) {
    const connection = attacker.connection([path.client], [own]);
    Object.assign(connection.path?.pathSegments[1] as object, { name: manager.name, id: manager.id });
    connection.id = manager.id;
    t.is(await attacker.close(connection, path.token), status.PERMISSION_DENIED, what);
    t.is(await attacker.request(connection, path.token), status.PERMISSION_DENIED, what);
    connection.path?.pathSegments.pop();
    t.is(await attacker.request(connection, path.token), status.PERMISSION_DENIED, `${what}, without our segment`);
  }
});

/** Runs the attack beside a wire with traffic, then checks that wire and the forwarder's descriptors. */
function harmless(title: string, attack: Attack): void {
  scenario(`h: ${title}`, async (t, mesh) => {
    const forwarder = await mesh.node.startForwarder();
    const client = await victim(mesh);
    const attacker = await Attacker.start(mesh, forwarder);
    await attacker.request(attacker.connection(), await attacker.token());
    const descriptors = await forwarder.descriptors();
    const pings = new Pings(client.namespace, await client.otherSide('nsm-1'));

    await attack(t, attacker, forwarder, mesh);

    await pings.answered(50);
    const { sent, received } = await pings.stop();
    t.is(received, sent);
    t.is((await forwarder.wires()).length, 1);
    t.is(count(client.process, 'plane is down'), 0);
    // Another client is served as before.
    await client.stop('SIGTERM');
    await mesh.node.startClient('nsc-2', { services: ['kernel://svc-1/nsm-1'], where: client.namespace });
    await eventually('no descriptor is left of the attack', async () => {
      const now = await forwarder.descriptors();
      if (now > descriptors) throw new Error(`${now} > ${descriptors}`);
      return true;
    });
  });
}

async function victim(mesh: Mesh) {
  await mesh.node.startEndpoint('nse-1', { services: ['svc-1'], payload: 'IP', cidr: '172.16.1.0/24' });
  return mesh.node.startClient('nsc-1', { services: ['kernel://svc-1/nsm-1'] });
}

/** Any member may watch connections, and so learn their ids. */
async function victimPath(attacker: Attacker) {
  const { path, requestSerialize, responseDeserialize } = MonitorConnectionService.monitorConnections;
  const stream = attacker.client.makeServerStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    MonitorScopeSelector.create(),
  );
  stream.on('error', () => undefined);
  const [event] = await once(stream, 'data');
  stream.cancel();
  const [connection] = Object.values((event as { connections: Record<string, { path: never }> }).connections);
  return (connection as { path: { pathSegments: PathSegment[] } }).path;
}
