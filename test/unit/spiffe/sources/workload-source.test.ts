// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import type { Identity } from '../../../../src/spiffe/identity.ts';
import { certificatesOf } from '../../../../src/spiffe/x509/pem.ts';
import { verifyPeer } from '../../../../src/spiffe/x509/trust.ts';
import { WorkloadSource } from '../../../../src/spiffe/sources/workload-source.ts';
import { TestAuthority } from '../../../nsm/support/authority.ts';
import { messageOf, WorkloadApi } from '../../../nsm/support/workload-api.ts';
import { IdentityLog, nextIdentity } from './identity-support.ts';

const authority = await TestAuthority.create({ key: 'RSA' });
const signal = AbortSignal.timeout(60_000);

const p384 = await authority.issue('fwd', { key: 'P-384' });
const rsa = await authority.issue('fwd', { key: 'RSA' });
const good = await authority.issue('fwd');
const message = messageOf([good]);
const svid = message.svids[0] as (typeof message.svids)[number];
const alien = await authority.issue('alien');

const unusable = {
  'no SVID': [{ ...message, svids: [] }, 'IDENTITY_UNAVAILABLE'],
  'certificates that are garbage': [
    { ...message, svids: [{ ...svid, x509Svid: Buffer.from('garbage') }] },
    'IDENTITY_UNAVAILABLE',
  ],
  'no certificate': [{ ...message, svids: [{ ...svid, x509Svid: Buffer.alloc(0) }] }, 'IDENTITY_UNUSABLE'],
  'a key that is garbage': [{ ...message, svids: [{ ...svid, x509SvidKey: Buffer.from([1]) }] }, 'IDENTITY_UNUSABLE'],
  'the key of another': [
    { ...message, svids: [{ ...svid, x509SvidKey: messageOf([alien]).svids[0]?.x509SvidKey ?? Buffer.alloc(0) }] },
    'IDENTITY_UNUSABLE',
  ],
  'no bundle': [{ ...message, svids: [{ ...svid, bundle: Buffer.alloc(0) }] }, 'IDENTITY_UNUSABLE'],
  'an SVID that has expired': [
    messageOf([await authority.issue('fwd', { notAfter: new Date(Date.now() - 1000) })]),
    'IDENTITY_UNUSABLE',
  ],
  'no SPIFFE ID': [
    messageOf([{ ...(await authority.issue('fwd', { uris: [] })), spiffeId: good.spiffeId }]),
    'IDENTITY_UNUSABLE',
  ],
  'a key on P-384': [messageOf([p384]), 'IDENTITY_KEY'],
  'an RSA key': [messageOf([rsa]), 'IDENTITY_KEY'],
} as const;

function socketPath(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'crosswire-workload-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return join(directory, 'agent.sock');
}

async function agent(t: ExecutionContext, path: string, ...identities: Identity[]): Promise<WorkloadApi> {
  const api = await WorkloadApi.start(path, ...identities);
  t.teardown(() => api.close());
  return api;
}

function source(t: ExecutionContext, path: string): { source: WorkloadSource; log: IdentityLog } {
  const log = new IdentityLog();
  const made = new WorkloadSource({ endpoint: `unix://${path}`, log, retryMilliseconds: { first: 5, longest: 40 } });
  t.teardown(() => made.close());
  made.start();
  return { source: made, log };
}

test('the first SVID is the identity, with the bundles of federated trust domains', async (t) => {
  const other = await TestAuthority.create({ trustDomain: 'other.nsm' });
  const first = await authority.issue('fwd');
  const identity = { ...first, bundles: new Map([...first.bundles, ...other.bundles]) };
  const path = socketPath(t);
  await agent(t, path, identity, await authority.issue('second'));
  const { source: workload } = source(t, path);
  const got = await workload.ready(signal);
  t.is(got.spiffeId, 'spiffe://test.nsm/fwd');
  t.deepEqual(got.notAfter, identity.notAfter);
  t.deepEqual([...got.bundles.keys()].toSorted(), ['other.nsm', 'test.nsm']);
  for (const from of [authority, other]) {
    const peer = await from.issue('peer');
    t.is(verifyPeer(certificatesOf(peer.certificates), got.bundles), peer.spiffeId);
  }
  t.is(workload.current(), got);
  t.is(workload.problem(), undefined);
  t.is(await workload.ready(signal), got);
});

test('a rotation is taken at once, by every listener, with its intermediates', async (t) => {
  const path = socketPath(t);
  const api = await agent(t, path, await authority.issue('fwd'));
  const { source: workload } = source(t, path);
  await workload.ready(signal);
  const intermediate = await authority.intermediate();
  for (let round = 0; round < 20; round++) {
    const next = await intermediate.issue('fwd');
    const changed = nextIdentity(workload);
    api.rotate(next);
    const got = await changed;
    t.is(certificatesOf(got.certificates).length, 2);
    t.is(certificatesOf(got.certificates)[0], certificatesOf(next.certificates)[0]);
    t.is(verifyPeer(certificatesOf(got.certificates), got.bundles), next.spiffeId);
  }
  t.is(api.calls, 1, 'all on one stream');
});

test('what is sent again unchanged is no rotation, but all is well again', async (t) => {
  const path = socketPath(t);
  const api = await agent(t, path, good);
  const { source: workload, log } = source(t, path);
  const first = await workload.ready(signal);
  api.send({ ...message, svids: [] });
  await log.until(({ code }) => code === 'IDENTITY_UNAVAILABLE');
  api.rotate(good);
  const next = await authority.issue('fwd');
  const heard = nextIdentity(workload);
  while (workload.problem()) await new Promise((turn) => setTimeout(turn, 10));
  t.is(workload.current(), first);
  api.rotate(next);
  t.is(certificatesOf((await heard).certificates)[0], certificatesOf(next.certificates)[0]);
});

test('no agent yet: it waits, says so, and takes the identity once there is one', async (t) => {
  const path = socketPath(t);
  const { source: workload, log } = source(t, path);
  await log.until((entry) => entry.code === 'IDENTITY_UNAVAILABLE' && entry.message.includes('waiting'));
  t.is(log.entries[0]?.message, 'waiting for an identity from the Workload API');
  t.is(workload.current(), undefined);
  t.regex(workload.problem()?.reason ?? '', /not there/);
  await agent(t, path, await authority.issue('fwd'));
  t.is((await workload.ready(signal)).spiffeId, 'spiffe://test.nsm/fwd');
  t.is(workload.problem(), undefined);
});

test('an agent that has no entry for this process is asked again', async (t) => {
  const path = socketPath(t);
  const api = await agent(t, path);
  const { source: workload, log } = source(t, path);
  await log.until((entry) => entry.reason.includes('no identity for this process'));
  await api.called();
  await api.called();
  api.rotate(await authority.issue('fwd'));
  t.is((await workload.ready(signal)).spiffeId, 'spiffe://test.nsm/fwd');
});

test('while the agent is away, the last identity stays; its return brings the next', async (t) => {
  const path = socketPath(t);
  const first = await agent(t, path, await authority.issue('fwd'));
  const { source: workload, log } = source(t, path);
  const before = await workload.ready(signal);
  await first.close();
  await log.until((entry) => entry.message.includes('the last is kept'));
  t.is(workload.current(), before);
  t.is(workload.problem()?.code, 'IDENTITY_UNAVAILABLE');
  const changed = nextIdentity(workload);
  await agent(t, path, await authority.issue('fwd'));
  t.not(await changed, before);
  t.is(workload.problem(), undefined);
});

for (const code of [status.UNAVAILABLE, status.PERMISSION_DENIED, status.OK, status.INTERNAL])
  test(`a stream that ends with ${status[code]} is opened again`, async (t) => {
    const path = socketPath(t);
    const api = await agent(t, path, await authority.issue('fwd'));
    const { source: workload } = source(t, path);
    const before = await workload.ready(signal);
    for (let round = 0; round < 5; round++) {
      const called = api.called();
      api.drop(code);
      await called;
    }
    const changed = nextIdentity(workload);
    api.rotate(await authority.issue('fwd'));
    t.is((await changed).spiffeId, before.spiffeId);
  });

for (const [what, [broken, code]] of Object.entries(unusable))
  test(`refused from the agent, and the last one kept: ${what}`, async (t) => {
    const path = socketPath(t);
    const api = await agent(t, path, good);
    const { source: workload, log } = source(t, path);
    const before = await workload.ready(signal);
    api.send({ ...broken, svids: [...broken.svids] });
    await log.until((entry) => entry.code === code);
    t.is(workload.current(), before);
    const changed = nextIdentity(workload);
    api.rotate(await authority.issue('fwd'));
    t.not(await changed, before, 'the stream is still open');
    t.is(api.calls, 1);
  });

test('waiting ends with the signal, and a closed source says nothing more', async (t) => {
  const path = socketPath(t);
  const { source: workload, log } = source(t, path);
  const abort = new AbortController();
  const waiting = workload.ready(abort.signal);
  abort.abort(new Error('enough'));
  await t.throwsAsync(waiting, { message: 'enough' });
  await t.throwsAsync(workload.ready(AbortSignal.abort(new Error('before'))), { message: 'before' });
  await log.until((entry) => entry.code === 'IDENTITY_UNAVAILABLE');
  workload.close();
  const said = log.entries.length;
  const api = await agent(t, path, good);
  t.is(api.calls, 0);
  t.is(log.entries.length, said);
});

test('a closed source leaves its stream', async (t) => {
  const path = socketPath(t);
  const api = await agent(t, path, good);
  const { source: workload, log } = source(t, path);
  const before = await workload.ready(signal);
  const left = api.left();
  workload.close();
  await left;
  api.rotate(alien);
  t.is(workload.current(), before);
  t.true(log.entries.every(({ code }) => code === ''));
});

test('endpoints', (t) => {
  const make = (endpoint: string) => new WorkloadSource({ endpoint, log: new IdentityLog() });
  for (const endpoint of ['unix:///run/agent.sock', 'unix:/run/agent.sock', 'tcp://127.0.0.1:8000', 'tcp://[::1]:8000'])
    t.notThrows(() => make(endpoint), endpoint);
  for (const endpoint of [
    '',
    '/run/agent.sock',
    'unix://run/agent.sock',
    'tcp://127.0.0.1',
    'tcp://host:1',
    'http://127.0.0.1:1',
  ])
    t.throws(() => make(endpoint), { message: /neither unix/ }, endpoint);
});
