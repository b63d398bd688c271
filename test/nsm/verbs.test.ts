// SPDX-License-Identifier: Apache-2.0
// crosswire request and crosswire endpoint in the places of cmd-nsc and an endpoint, under NSM's manager and registry.

import { join, resolve } from 'node:path';
import type { Namespace } from '../support/namespace.ts';
import { Background } from '../support/shell.ts';
import { addresses, nodesOf } from './support/across.ts';
import type { Mesh } from './support/mesh.ts';
import { Requester } from './support/requester.ts';
import { scenario } from './support/scenario.ts';

const command = resolve('bin/crosswire');

scenario('crosswire request, and an endpoint of NSM', async (t, mesh) => {
  const forwarder = await mesh.node.startForwarder();
  await mesh.node.startEndpoint('nse-1', { services: ['svc-1'], payload: 'IP', cidr: '172.16.1.100/31' });
  for (const name of ['first', 'second']) {
    const where = await mesh.namespace('nsc');
    const client = await start(mesh, name, 'request', 'kernel://svc-1/nsm-1', '--netns', where.path);
    await client.says(/^id /m);
    await where.run('ping', '-q', '-c', '10', '-i', '0.01', '-W', '1', '172.16.1.100');
    // The endpoint's only pair of addresses must be free for the next client.
    await client.stop('SIGTERM');
    t.is(client.child.exitCode, 0, client.output);
    t.deepEqual(await where.interfaces(), []);
    t.deepEqual(await forwarder.wires(), []);
  }
});

scenario('crosswire request that pings: only the data plane goes down', async (t, mesh) => {
  await mesh.node.startForwarder();
  const cidr = '172.16.1.100/31,fd00:16::100/127';
  const endpoint = await mesh.node.startEndpoint('nse-1', { services: ['svc-1'], payload: 'IP', cidr });
  const where = await mesh.namespace('nsc');
  const options = ['--netns', where.path, '--liveness', 'true', '--log-level', 'info'];
  const client = await start(mesh, 'client', 'request', 'kernel://svc-1/nsm-1', ...options);
  await client.says(/^id /m);
  const [name = ''] = await endpoint.namespace.interfaces();
  await endpoint.namespace.run('ip', 'link', 'set', name, 'down');
  await client.says('connected again');
  t.regex(client.output, /nobody answers pings/);
  for (const address of ['172.16.1.100', 'fd00:16::100'])
    await where.run('ping', '-q', '-c', '10', '-i', '0.01', '-W', '1', address);
});

scenario('a client of NSM, and crosswire endpoint', async (t, mesh) => {
  const forwarder = await mesh.node.startForwarder();
  const where = await serve(mesh, '--payload', 'ethernet');
  const client = await mesh.node.startClient('nsc-1', { services: ['kernel://svc-1/nsm-1'] });
  await client.namespace.run('ping', '-q', '-c', '10', '-i', '0.01', '-W', '1', '172.16.1.1');
  t.deepEqual(await where.interfaces(), ['web0']);
  await client.stop('SIGTERM');
  t.deepEqual(await where.interfaces(), []);
  t.deepEqual(await forwarder.wires(), []);
});

scenario('crosswire request and crosswire endpoint: refreshed for longer than a token lives', async (t, mesh) => {
  const forwarder = await mesh.node.startForwarder();
  await serve(mesh);
  const where = await mesh.namespace('nsc');
  const options = ['--netns', where.path, '--token-lifetime', '10s'];
  const client = await start(mesh, 'client', 'request', 'kernel://svc-1/nsm-1', ...options);
  await client.says(/^id /m);
  const [before] = await forwarder.wires();
  // Longer than the token lives: without refreshes the manager would have closed the connection.
  await where.run('ping', '-q', '-c', '120', '-i', '0.1', '-W', '1', '172.16.1.1');
  t.is((await forwarder.wires())[0]?.name, before?.name);
  await client.stop('SIGTERM');
  t.deepEqual(await forwarder.wires(), []);
});

scenario(
  'an endpoint with a device of its own at the other node: both forwarders pass NOOP on, and make nothing',
  async (t, mesh) => {
    const { near, far } = nodesOf(mesh);
    const forwarders = await Promise.all([near.startForwarder(), far.startForwarder()]);
    const options = ['--cidr', '172.16.1.0/24', '--payload', 'ethernet', '--manager', far.managerUrl];
    const endpoint = await start(mesh, 'endpoint', 'endpoint', 'noop://svc-1', ...options);
    await endpoint.says('serving');
    const requester = await Requester.start(mesh, 'asker', near.managerUrl);
    const connection = await requester.request({ service: 'svc-1', mechanism: 'NOOP' });
    t.like(connection, { mechanism: { type: 'NOOP' }, context: { ipContext: { srcIpAddrs: ['172.16.1.2/32'] } } });
    t.is(connection.path?.pathSegments.length, 6);
    await requester.close(connection);
    await endpoint.says('closed');
    for (const forwarder of forwarders) t.deepEqual(await forwarder.wires(), []);
  },
  { addresses },
);

async function serve(mesh: Mesh, ...options: string[]): Promise<Namespace> {
  const where = await mesh.namespace('nse');
  const all = ['--netns', where.path, '--cidr', '172.16.1.0/24', ...options];
  const endpoint = await start(mesh, 'endpoint', 'endpoint', 'kernel://svc-1/web0', ...all);
  await endpoint.says('serving');
  return where;
}

async function start(mesh: Mesh, name: string, ...args: string[]): Promise<Background> {
  const self = await mesh.authority.program(name);
  const env = {
    PATH: process.env['PATH'] ?? '',
    NSM_NAME: name,
    NSM_CONNECT_TO: mesh.node.managerUrl,
    NSM_LISTEN_ON: `unix://${join(mesh.directory, `${name}.sock`)}`,
    ...self.environment,
  };
  const started = new Background('env', [...self.wrap, command, ...args], { env });
  mesh.onRemove(() => started.stop('SIGKILL'));
  return started;
}
