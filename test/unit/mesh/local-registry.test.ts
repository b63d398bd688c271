// SPDX-License-Identifier: Apache-2.0

import test from 'ava';
import { NetworkService, NetworkServiceEndpoint } from '../../../src/nsm/generated/registry.ts';
import { LocalRegistry } from '../../../src/mesh/manager/registry.ts';

const owner = 'spiffe://test.nsm/a';

function endpoint(name: string, more: Parameters<typeof NetworkServiceEndpoint.fromPartial>[0] = {}) {
  const expirationTime = new Date(Date.now() + 60_000);
  return NetworkServiceEndpoint.fromPartial({ name, networkServiceNames: ['web'], expirationTime, ...more });
}

test('a name belongs to the identity that registered it, until it is unregistered', (t) => {
  const registry = new LocalRegistry();
  t.teardown(() => registry.close());
  registry.registerEndpoint({ endpoint: endpoint('nse'), owner });
  registry.registerEndpoint({ endpoint: endpoint('nse'), owner });
  const another = 'spiffe://test.nsm/b';
  t.throws(() => registry.registerEndpoint({ endpoint: endpoint('nse'), owner: another }), { code: 'NAME_OF_ANOTHER' });
  t.throws(() => registry.unregisterEndpoint('nse', another), { code: 'NAME_OF_ANOTHER' });
  registry.unregisterEndpoint('nse', owner);
  registry.registerEndpoint({ endpoint: endpoint('nse'), owner: another });
  registry.registerService(NetworkService.fromPartial({ name: 'web' }), owner);
  t.throws(() => registry.registerService(NetworkService.fromPartial({ name: 'web' }), another), {
    code: 'NAME_OF_ANOTHER',
  });
});

test('a query takes what has its name, services, labels and part of its url', (t) => {
  const registry = new LocalRegistry();
  t.teardown(() => registry.close());
  const labels = { app: 'shop', tier: '1' };
  registry.registerEndpoint({ endpoint: endpoint('one', { networkServiceLabels: { web: { labels } } }), owner });
  registry.registerEndpoint({ endpoint: endpoint('two', { url: 'tcp://10.0.0.2:5001' }), owner });
  const names = (like: Parameters<LocalRegistry['endpoints']>[0]) =>
    registry.endpoints(like).map(({ endpoint: { name } }) => name);
  t.deepEqual(names({}), ['one', 'two']);
  t.deepEqual(names({ name: 'two' }), ['two']);
  t.deepEqual(names({ networkServiceNames: ['web', 'other'] }), []);
  t.deepEqual(names({ networkServiceLabels: { web: { labels: { app: 'shop' } } } }), ['one']);
  t.deepEqual(names({ url: '10.0.0.2' }), ['two']);
  t.is(registry.registerService(NetworkService.fromPartial({ name: 'web' }), owner).payload, 'IP');
  t.is(registry.services({ name: 'web', payload: 'ETHERNET' }).length, 0);
});

test('an expired entry is removed; watchers are told, and its descriptor is closed', async (t) => {
  const registry = new LocalRegistry();
  t.teardown(() => registry.close());
  let closed = 0;
  const file = { path: '/socket', close: () => (closed += 1) };
  const gone = new Promise<string>((resolve) =>
    registry.watch((entry, deleted) => {
      if (deleted) resolve(entry.endpoint.name);
    }),
  );
  const soon = new Date(Date.now() + 20);
  registry.registerEndpoint({ endpoint: endpoint('nse', { expirationTime: soon }), owner, file });
  const alive = setTimeout(() => {}, 10_000); // the registry's timers are unreferenced
  t.is(await gone, 'nse');
  clearTimeout(alive);
  t.is(closed, 1);
  t.deepEqual(registry.endpoints({}), []);
});
