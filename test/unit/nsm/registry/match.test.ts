// SPDX-License-Identifier: Apache-2.0

import test from 'ava';
import {
  type DeepPartial,
  type Match,
  NetworkService,
  NetworkServiceEndpoint,
} from '../../../../src/nsm/generated/registry.ts';
import { candidatesFor } from '../../../../src/nsm/registry/match.ts';
import { Rotation } from '../../../../src/nsm/registry/rotation.ts';

const endpoint = (name: string, labels: Record<string, string> = {}) =>
  NetworkServiceEndpoint.fromPartial({
    name,
    networkServiceNames: ['svc'],
    networkServiceLabels: { svc: { labels } },
  });
const service = (matches: DeepPartial<Match>[] = []) => NetworkService.fromPartial({ name: 'svc', matches });
const route = (destinationSelector: Record<string, string>, weight = 0) => ({ destinationSelector, weight });
const names = (found: ReturnType<typeof candidatesFor>) => found.map(({ endpoint: { name } }) => name);

const endpoints = [
  endpoint('firewall', { app: 'firewall' }),
  endpoint('gateway', { app: 'gateway', nodeName: 'n1' }),
  endpoint('plain'),
];

test('a service without matches takes every endpoint', (t) => {
  t.deepEqual(names(candidatesFor(service(), endpoints, {})), ['firewall', 'gateway', 'plain']);
});

test('the first match whose source selector fits decides', (t) => {
  const chain = service([
    { sourceSelector: { app: 'firewall' }, routes: [route({ app: 'gateway' })] },
    { routes: [route({ app: 'firewall' })] },
  ]);
  t.deepEqual(names(candidatesFor(chain, endpoints, { app: 'firewall' })), ['gateway']);
  t.deepEqual(names(candidatesFor(chain, endpoints, {})), ['firewall']);
});

test('a selector may be a template over the labels of the connection', (t) => {
  for (const template of ['{{.nodeName}}', '{{ index . "nodeName" }}']) {
    const near = service([{ routes: [route({ nodeName: template })] }]);
    t.deepEqual(names(candidatesFor(near, endpoints, { nodeName: 'n1' })), ['gateway']);
    t.deepEqual(names(candidatesFor(near, endpoints, { nodeName: 'n2' })), []);
  }
});

test('a template over a label that the connection lacks leads to no endpoint that lacks it too', (t) => {
  const labelled = [endpoint('gateway', { nodeName: 'n1' }), endpoint('other', { app: 'x' }), endpoint('plain')];
  const found = (template: string, connectionLabels = {}) =>
    names(candidatesFor(service([{ routes: [route({ nodeName: template })] }]), labelled, connectionLabels));
  t.deepEqual(found('{{.nodeName}}'), []);
  t.deepEqual(found('{{.nodeName}}', { nodeName: 'n1' }), ['gateway']);
  t.deepEqual(found('{{ index . "nodeName" }}'), ['other'], 'which the sdk renders as nothing');
  t.deepEqual(found(''), ['other'], 'nor is there more in no label than in a missing one');
});

test('without a candidate a match ends the search, unless it falls through', (t) => {
  const second = { routes: [route({ app: 'gateway' })] };
  const missing = { routes: [route({ app: 'absent' })] };
  t.deepEqual(names(candidatesFor(service([missing, second]), endpoints, {})), []);
  t.deepEqual(names(candidatesFor(service([{ ...missing, fallthrough: true }, second]), endpoints, {})), ['gateway']);
});

test('a match with metadata and without routes takes every endpoint', (t) => {
  const found = candidatesFor(service([{ metadata: { labels: { p2p: 'true' } } }]), endpoints, {});
  t.is(found.length, 3);
});

test('equal shares rotate', (t) => {
  const rotation = new Rotation();
  const candidates = candidatesFor(service(), endpoints, {});
  const turns = Array.from({ length: 6 }, () => names(rotation.order('svc', candidates))[0]);
  t.deepEqual(turns, ['firewall', 'gateway', 'plain', 'firewall', 'gateway', 'plain']);
});

test('weights are shares of new connections, and no weight beside them is none', (t) => {
  const shared = service([{ routes: [route({ app: 'firewall' }, 3), route({ app: 'gateway' }, 1), route({})] }]);
  const rotation = new Rotation();
  const counts = new Map<string | undefined, number>();
  for (let i = 0; i < 400; i++) {
    const [first] = names(rotation.order('svc', candidatesFor(shared, endpoints, {})));
    counts.set(first, (counts.get(first) ?? 0) + 1);
  }
  t.deepEqual(Object.fromEntries(counts), { firewall: 300, gateway: 100 });
});
