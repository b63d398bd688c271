// SPDX-License-Identifier: Apache-2.0
// Bad input in what NSM asks of ends: policies, and applications that share memory directly.

import test from 'ava';
import { readDocument } from '../../../src/wire/wire-document.ts';
import type { Problem } from '../../../src/wire/values/problems.ts';

const routes = [{ to: '0.0.0.0/0' }];
const memif = (role: string) => ({ memif: { socket: `@${role}`, role } });
const kernel = (policies: readonly object[]) => ({ kernel: { netns: '/run/netns/a', interface: 'nsm-1', policies } });

function problemsOf(spec: object): readonly Problem[] {
  return readDocument({ apiVersion: 'crosswire.dev/v1alpha1', kind: 'Wire', metadata: { name: 'w' }, spec }).problems;
}

const policies: Record<string, [policies: readonly object[], key: string, reason: RegExp]> = {
  'a port beyond all': [[{ destinationPorts: '70000', routes }], '0.destinationPorts', /outside 1 to 65534/],
  'a range beyond what the kernel takes': [[{ sourcePorts: '1-65535', routes }], '0.sourcePorts', /outside 1 to 65534/],
  'a range that ends first': [[{ sourcePorts: '90-80', routes }], '0.sourcePorts', /ends before it begins/],
  'port 0': [[{ sourcePorts: '0', routes }], '0.sourcePorts', /outside 1/],
  'a port by name': [[{ sourcePorts: 'http', routes }], '0.sourcePorts', /no port/],
  'an IP protocol beyond all': [[{ protocol: 300, routes }], '0.protocol', /more than 255/],
  'an IP protocol by name': [[{ protocol: 'tcp', routes }], '0.protocol', /whole number/],
  'from no prefix': [[{ from: '10.9.0.1', routes }], '0.from', /no network/],
  'from a network with more bits': [[{ from: '10.9.0.1/24', routes }], '0.from', /behind its prefix/],
  'no routes': [[{ protocol: 6, routes: [] }], '0.routes', /is empty/],
  'a gateway of another family': [[{ routes: [{ to: '::/0', via: '10.0.0.1' }] }], '0.routes.0.via', /an IPv4 gateway/],
  'a route twice': [[{ routes: [...routes, ...routes] }], '0.routes.1', /twice/],
  'the same packets twice': [[{ routes }, { routes }], '1', /a policy for all packets is there twice/],
};

for (const [title, [list, key, reason]] of Object.entries(policies)) {
  test(`a policy with ${title} is refused by its key`, (t) => {
    const [problem, ...rest] = problemsOf({ client: kernel(list), endpoint: memif('client') });
    t.deepEqual(rest, []);
    t.is(problem?.code, 'VALUE_INVALID');
    t.is(problem?.path.join('.'), `spec.client.kernel.policies.${key}`);
    t.regex(problem?.reason ?? '', reason);
  });
}

const direct: Record<string, [client: object, endpoint: object, reason: RegExp]> = {
  'has a kernel end': [kernel([]), memif('client'), /only two memif/],
  'connects at the client end': [memif('client'), memif('server'), /listens at the client end/],
  'listens at both ends': [memif('server'), { memif: { socket: '@b', role: 'server' } }, /listens at the client end/],
};

for (const [title, [client, endpoint, reason]] of Object.entries(direct)) {
  test(`a direct wire that ${title} is refused`, (t) => {
    const [problem, ...rest] = problemsOf({ direct: true, client, endpoint });
    t.deepEqual(rest, []);
    t.like(problem, { code: 'VALUE_INVALID', path: ['spec', 'direct'] });
    t.regex(problem?.reason ?? '', reason);
  });
}

test('a direct wire is two memif ends, server and client', (t) => {
  t.deepEqual(problemsOf({ direct: true, client: memif('server'), endpoint: memif('client') }), []);
});
