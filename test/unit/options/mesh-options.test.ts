// SPDX-License-Identifier: Apache-2.0

import test from 'ava';
import { readMeshOptions } from '../../../src/options/mesh-options.ts';

const identity = { SPIFFE_ENDPOINT_SOCKET: 'unix:///agent.sock' };

test('a request: the URL of the service, the command line over the environment over the default', (t) => {
  const environment = { ...identity, NSM_CONNECT_TO: 'unix:///from/environment', NSM_MAX_TOKEN_LIFETIME: '30s' };
  const given = { netns: '/run/netns/a', labels: ['app=shop', 'note=a=b'], managerUrl: 'unix:///given' };
  const options = readMeshOptions('request', 'kernel://web@my.cluster/nsm-1?app=bank&tier=1', given, environment);
  t.like(options, {
    mechanism: 'KERNEL',
    service: 'web@my.cluster',
    interfaceName: 'nsm-1',
    labels: { app: 'shop', tier: '1', note: 'a=b' },
    managerUrl: 'unix:///given',
    maxTokenMilliseconds: 30_000,
    workloadApi: 'unix:///agent.sock',
    name: `request-${process.pid}`,
  });
});

test('an endpoint', (t) => {
  const given = { netns: 'relative', cidr: '172.16.1.0/24', payload: 'ethernet', name: 'nse-1' };
  const options = readMeshOptions('endpoint', 'memif://fw/m0', given, identity);
  t.like(options, { mechanism: 'MEMIF', payload: 'ETHERNET', cidr: '172.16.1.0/24', labels: {} });
  t.regex(options.netns, /^\/.*\/relative$/);
  t.regex(options.listenUrl, /^unix:\/\/\/.*\/nse-1\.sock$/);
});

test('a token of a virtual function comes from the environment that kubelet gave the pod', (t) => {
  const url = 'kernel://fw/nsm-1?app=shop&sriovToken=worker.domain/10G';
  const variable = 'NSM_SRIOV_TOKENS_worker.domain/10G';
  const options = readMeshOptions('request', url, { netns: '/a' }, { ...identity, [variable]: 'sriov-1,sriov-2' });
  t.is(options.deviceToken, 'sriov-1');
  t.deepEqual(options.labels, { app: 'shop', serviceDomain: 'worker.domain' });
  const handedOn = { ...identity, CROSSWIRE_DEVICE_TOKENS: 'other/1G=sriov-0\nworker.domain/10G=sriov-3' };
  t.is(readMeshOptions('request', url, { netns: '/a' }, handedOn).deviceToken, 'sriov-3');
  t.is(readMeshOptions('request', 'kernel://fw/nsm-1', { netns: '/a' }, identity).deviceToken, '');
  const error = t.throws(() => readMeshOptions('request', url, { netns: '/a' }, identity), {
    instanceOf: AggregateError,
  });
  t.like(error?.errors[0], { code: 'OPTION_INVALID', subject: variable });
});

test('an endpoint with a device of its own needs no namespace; a client cannot be one', (t) => {
  const options = readMeshOptions('endpoint', 'noop://fw', { cidr: '172.16.1.0/24' }, identity);
  t.like(options, { mechanism: 'NOOP', service: 'fw', interfaceName: '' });
  for (const [verb, url] of [
    ['request', 'noop://fw'],
    ['endpoint', 'noop://fw/if0'],
    ['endpoint', 'kernel://fw'],
  ] as const)
    t.throws(() => readMeshOptions(verb, url, { netns: '/a', cidr: '172.16.1.0/24' }, identity), undefined, url);
});

test('every mistake is told, each with what it is about', (t) => {
  const given = { managerUrl: 'tcp://host:5001', payload: 'ippp', cidr: '10.0.0.1/32', labels: ['alone'], name: 'a b' };
  const error = t.throws(() => readMeshOptions('endpoint', 'kernel://web/an-interface-name', given, {}), {
    instanceOf: AggregateError,
  });
  t.deepEqual(
    error?.errors.map(({ code, subject }: { code: string; subject: string }) => `${code} ${subject}`),
    [
      'OPTION_INVALID the network service',
      'OPTION_INVALID --netns',
      'OPTION_INVALID --cidr',
      'OPTION_INVALID --payload',
      'OPTION_INVALID --label',
      'OPTION_INVALID --manager',
      'OPTION_INVALID --name',
      'OPTION_INVALID SPIFFE_ENDPOINT_SOCKET',
    ],
  );
});
