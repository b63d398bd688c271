// SPDX-License-Identifier: Apache-2.0
// j: identities that SPIRE issues, renews, issues late, or cannot issue for a while.
//   spire-agent ── unix socket ── registry, manager, forwarder, nsc and nse, each with an entry of its own

import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import type { ExecutionContext } from 'ava';
import { HealthCheckResponse_ServingStatus, HealthService } from '../../src/grpc/generated/health.ts';
import type { Identity } from '../../src/spiffe/identity.ts';
import { eventually, patience } from '../support/shell.ts';
import { TestAuthority } from './support/authority.ts';
import { Forwarder } from './support/forwarder.ts';
import type { Mesh } from './support/mesh.ts';
import { plainClient, unary } from './support/plain-client.ts';
import { count } from './support/programs.ts';
import { scenario } from './support/scenario.ts';
import { Pings } from './support/traffic.ts';
import type { Workload } from './support/workload.ts';

const needs = ['spire'] as const;
/** SPIRE backdates SVIDs by ten seconds and renews them at half of their life: some 15 s after it issued them. */
const svidSeconds = { 'forwarder-node1': 40 * patience };

scenario(
  'j: SPIRE renews the SVID of the forwarder: new connections show it, no ping is lost',
  async (t, mesh) => {
    const { forwarder, client, pings } = await connected(mesh);
    const wire = (await forwarder.wires())[0]?.name;
    const self = await mesh.authority.issue('observer');
    const shown = [await shownBy(mesh, forwarder, self)];
    const { pid } = forwarder.process.child;
    for (let round = 0; round < 3; round++) {
      await renewed(forwarder);
      shown.push(await shownBy(mesh, forwarder, self));
      await refreshed(forwarder);
    }
    t.is(new Set(shown.map(({ serialNumber }) => serialNumber)).size, 4);
    for (const { subjectAltName } of shown) t.is(subjectAltName, 'URI:spiffe://test.nsm/forwarder-node1');
    await undisturbed(t, forwarder, client, pings);
    t.is((await forwarder.wires())[0]?.name, wire);
    t.is(forwarder.process.child.pid, pid);
  },
  { needs, svidSeconds, seconds: 240 },
);

scenario(
  'j: SPIRE’s agent is killed and returns: the forwarder goes on, and its SVID is renewed again',
  async (t, mesh) => {
    const { forwarder, client, pings } = await connected(mesh);
    await mesh.spire.agent.stop('SIGKILL');
    await forwarder.process.says('no new identity; the last is kept');
    await pings.answered(100);
    const before = count(forwarder.process, 'identity taken');
    await mesh.spire.startAgent();
    await eventually('the agent is back', async () => count(forwarder.process, 'identity taken') > before, 60_000);
    await renewed(forwarder);
    await refreshed(forwarder);
    await undisturbed(t, forwarder, client, pings);
  },
  { needs, svidSeconds, seconds: 240 },
);

scenario(
  'j: a forwarder that SPIRE has no entry for waits and says so; with the entry it serves, and hears of other domains',
  async (t, mesh) => {
    const name = 'forwarder-late';
    const forwarder = new Forwarder(mesh.node, name, {});
    await forwarder.launch(mesh.spire.unregistered(name));
    await forwarder.process.says('the agent has no identity for this process');
    await forwarder.process.says('no identity yet; waiting');
    t.deepEqual(await mesh.registry.find({ name }), []);

    const [friends, strangers] = await Promise.all(
      ['friends.nsm', 'strangers.nsm'].map((trustDomain) => TestAuthority.create({ trustDomain })),
    );
    await mesh.spire.trust('friends.nsm', (friends as TestAuthority).bundle);
    await mesh.spire.register(name, 'friends.nsm');
    // It retries after 200 ms, then after twice as long each time, up to half a minute.
    await mesh.registry.has(name, 60_000);
    const answer = async (authority: TestAuthority) => {
      const health = plainClient(mesh, await authority.issue('guest'), forwarder.listenUrl);
      return (await unary(health, HealthService.check, { service: '' })).status;
    };
    t.is(await answer(friends as TestAuthority), HealthCheckResponse_ServingStatus.SERVING);
    await t.throwsAsync(answer(strangers as TestAuthority));
    await forwarder.process.says('there is no bundle of the trust domain strangers.nsm');
  },
  { needs },
);

async function connected(mesh: Mesh) {
  const forwarder = await mesh.node.startForwarder();
  await mesh.node.startEndpoint('nse-1', { services: ['svc-1'], payload: 'IP', cidr: '172.16.1.100/31' });
  const client = await mesh.node.startClient('nsc-1', {
    services: ['kernel://svc-1/nsm-1'],
    // Peers close a connection that much before the certificates on its path expire.
    environment: { NSM_REQUEST_TIMEOUT: `${5 * patience}s` },
  });
  const pings = new Pings(client.namespace, await client.otherSide('nsm-1'));
  mesh.onRemove(() => pings.abandon());
  await pings.answered();
  return { forwarder, client, pings };
}

/** Waits for one more occurrence from now on. */
async function renewed({ process }: Forwarder): Promise<void> {
  const before = count(process, 'identity taken');
  await eventually('SPIRE renews the SVID', async () => count(process, 'identity taken') > before, 90_000);
}

/** A refresh of the client succeeded, for which tokens need the right key. */
async function refreshed(forwarder: Forwarder): Promise<void> {
  const before = await forwarder.answers();
  await eventually('a refresh', async () => (await forwarder.answers()) > before, 60_000);
}

async function undisturbed(t: ExecutionContext, forwarder: Forwarder, client: Workload, pings: Pings): Promise<void> {
  await pings.answered(10);
  const report = await pings.stop();
  t.log(`${report.sent} pings, longest pause ${report.gap} ms`);
  t.is(report.received, report.sent);
  t.is(await forwarder.answersBut('ok'), 0n);
  t.is(count(forwarder.process, 'REGISTRATION_LOST'), 0);
  t.is(count(client.process, 'plane is down'), 0);
}

/** The certificate of a new connection, verified against SPIRE's authority. */
async function shownBy(mesh: Mesh, { listenUrl }: Forwarder, self: Identity): Promise<X509Certificate> {
  const socket: TLSSocket = connect({
    path: listenUrl.replace('unix://', ''),
    key: self.privateKey,
    cert: self.certificates,
    ca: mesh.authority.bundle,
    ALPNProtocols: ['h2'],
    checkServerIdentity: () => undefined, // SVIDs name no host
  });
  await once(socket, 'secureConnect');
  const certificate = socket.getPeerX509Certificate();
  socket.destroy();
  if (!certificate) throw new Error('the forwarder showed no certificate');
  return certificate;
}
