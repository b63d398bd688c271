// SPDX-License-Identifier: Apache-2.0
// The environment variables of NSM's forwarders: every variable, invalid values, and variables that nothing reads.

import test from 'ava';
import { nsmOptionRows, withoutEffect } from '../../../src/options/nsm-option-rows.ts';
import { readNsmOptions } from '../../../src/options/nsm-options.ts';
import { nsmNamesUsed, withNsmNames } from '../../../src/options/nsm-run-options.ts';
import { readRunOptions } from '../../../src/options/read-options.ts';

const least = { NSM_CONNECT_TO: 'unix:///run/nsm.sock', SPIFFE_ENDPOINT_SOCKET: 'unix:///run/agent.sock' };
const read = (more: Readonly<Record<string, string>> = {}) => readNsmOptions({ ...least, ...more });
const problemsOf = (environment: Readonly<Record<string, string>>) => {
  try {
    readNsmOptions(environment);
    return [];
  } catch (error) {
    return (error as AggregateError).errors as { code: string; subject: string; reason: string }[];
  }
};

test('without a manager there is no mesh, and nothing is read or complained about', (t) => {
  t.deepEqual(readNsmOptions({ NSM_VXLAN_PORT: 'x', NSM_NONSENSE: '1' }), { options: undefined, warnings: [] });
  t.deepEqual(withNsmNames({ NSM_LOG_LEVEL: 'TRACE', PROMETHEUS: 'true' }), {
    NSM_LOG_LEVEL: 'TRACE',
    PROMETHEUS: 'true',
  });
});

test('defaults are those of cmd-forwarder-vpp', (t) => {
  const { options, warnings } = read();
  t.deepEqual(options, {
    managerUrl: 'unix:///run/nsm.sock',
    listenUrl: 'unix:///listen.on.socket',
    name: 'forwarder',
    labels: { p2p: 'true' },
    serviceName: 'forwarder',
    maxTokenMilliseconds: 600_000,
    dialMilliseconds: 750,
    tunnelAddress: '',
    tunnelPorts: { vxlan: 4789, wireguard: 51_820 },
    deviceSelectorFile: '',
    mechanismPriority: [],
    memifViaEngine: false,
    devicePluginDirectory: '/var/lib/kubelet/device-plugins',
    podResourcesDirectory: '/var/lib/kubelet/pod-resources',
    resourcePollMilliseconds: 30_000,
    controlGroupDirectory: '/host/sys/fs/cgroup/devices',
    registryPolicies: ['tokens_valid', 'tokens_expired', 'tokens_chained', 'next_token_signed'],
    workloadApi: 'unix:///run/agent.sock',
    certificateFile: '',
    keyFile: '',
    bundleFile: '',
    telemetry: false,
    telemetryEndpoint: 'otel-collector.observability.svc.cluster.local:4317',
  });
  t.deepEqual(warnings, []);
  t.true(Object.isFrozen(options));
  t.true(Object.isFrozen(options?.labels));
});

const good: readonly [variable: string, text: string, key: string, value: unknown][] = [
  ['NSM_CONNECT_TO', 'tcp://10.0.0.1:5001', 'managerUrl', 'tcp://10.0.0.1:5001'],
  ['NSM_LISTEN_ON', 'unix:/listen.sock', 'listenUrl', 'unix:/listen.sock'],
  ['NSM_LISTEN_ON', 'tcp://:5001', 'listenUrl', 'tcp://:5001'],
  ['NSM_NAME', 'forwarder-x7f2k', 'name', 'forwarder-x7f2k'],
  ['NSM_LABELS', 'p2p:true, rack:a:1', 'labels', { p2p: 'true', rack: 'a:1' }],
  ['NSM_LABELS', 'empty:', 'labels', { empty: '' }],
  ['NSM_NSNAME', 'forwarders', 'serviceName', 'forwarders'],
  ['NSM_MAX_TOKEN_LIFETIME', '1h30m', 'maxTokenMilliseconds', 5_400_000],
  ['NSM_MAX_TOKEN_LIFETIME', '24h', 'maxTokenMilliseconds', 86_400_000],
  ['NSM_DIAL_TIMEOUT', '1.5s', 'dialMilliseconds', 1500],
  ['NSM_DIAL_TIMEOUT', '.5s', 'dialMilliseconds', 500],
  ['NSM_DIAL_TIMEOUT', '1500us', 'dialMilliseconds', 2],
  ['NSM_TUNNEL_IP', 'fd00::1', 'tunnelAddress', 'fd00::1'],
  ['NSM_VXLAN_PORT', '0', 'tunnelPorts', { vxlan: 4789, wireguard: 51_820 }],
  ['NSM_VXLAN_PORT', '65535', 'tunnelPorts', { vxlan: 65535, wireguard: 51_820 }],
  ['NSM_MECHANISM_PRIORITY', 'KERNEL, memif', 'mechanismPriority', ['KERNEL', 'memif']],
  ['CROSSWIRE_MEMIF_VIA_ENGINE', '1', 'memifViaEngine', true],
  ['NSM_REGISTRY_CLIENT_POLICIES', 'etc/nsm/opa/common/tokens_expired.rego', 'registryPolicies', ['tokens_expired']],
  ['NSM_REGISTRY_CLIENT_POLICIES', 'etc/nsm/opa/client/.*.rego', 'registryPolicies', ['next_token_signed']],
  ['NSM_REGISTRY_CLIENT_POLICIES', 'etc/nsm/opa/registry/client_allowed.rego', 'registryPolicies', []],
  ['TELEMETRY', 'True', 'telemetry', true],
  ['TELEMETRY', 'f', 'telemetry', false],
  ['NSM_OPEN_TELEMETRY_ENDPOINT', 'collector:4317', 'telemetryEndpoint', 'collector:4317'],
];

for (const [variable, text, key, value] of good)
  test(`${variable}=${text}`, (t) => {
    t.deepEqual(read({ [variable]: text }).options?.[key as keyof object], value);
  });

const bad: Readonly<Record<string, readonly string[]>> = {
  NSM_CONNECT_TO: ['/run/nsm.sock', 'unix://', 'tcp://host', 'tcp://host:65536', 'http://host:80'],
  NSM_LISTEN_ON: ['listen.sock', 'unix:', 'tcp://host:port'],
  NSM_LABELS: ['p2p', 'p2p:true,rack', ':true'],
  NSM_MAX_TOKEN_LIFETIME: ['10', '-10m', '0s', 'ten minutes', '10 m', '5mm', '1e3s'],
  NSM_DIAL_TIMEOUT: ['750', 'ms', '.s'],
  NSM_TUNNEL_IP: ['eth0', '10.0.0.1/24', '10.0.0'],
  NSM_VXLAN_PORT: ['-1', '65536', 'vxlan', '1.5'],
  CROSSWIRE_MEMIF_VIA_ENGINE: ['yes', '2'],
  NSM_REGISTRY_CLIENT_POLICIES: ['etc/nsm/opa/(.rego'],
  TELEMETRY: ['on'],
};

for (const [variable, texts] of Object.entries(bad))
  for (const text of texts)
    test(`${variable} cannot be '${text}'`, (t) => {
      t.like(problemsOf({ ...least, [variable]: text }), {
        length: 1,
        0: { code: 'OPTION_INVALID', subject: variable },
      });
    });

test('every error at once', (t) => {
  const problems = problemsOf({ ...least, NSM_VXLAN_PORT: 'x', NSM_DIAL_TIMEOUT: 'y' });
  t.deepEqual(
    problems.map(({ subject }) => subject),
    ['NSM_DIAL_TIMEOUT', 'NSM_VXLAN_PORT'],
  );
});

test('an identity must come from somewhere, and files are three', (t) => {
  const without = { NSM_CONNECT_TO: least.NSM_CONNECT_TO };
  t.like(problemsOf(without), { length: 1, 0: { subject: 'SPIFFE_ENDPOINT_SOCKET' } });
  t.like(problemsOf({ ...without, CROSSWIRE_TLS_CERTIFICATE: '/c.pem', CROSSWIRE_TLS_KEY: '/k.pem' }), {
    length: 1,
    0: { subject: 'CROSSWIRE_TLS_BUNDLE' },
  });
  const files = { CROSSWIRE_TLS_CERTIFICATE: '/c.pem', CROSSWIRE_TLS_KEY: '/k.pem', CROSSWIRE_TLS_BUNDLE: '/b.pem' };
  t.like(readNsmOptions({ ...without, ...files }).options, { certificateFile: '/c.pem', bundleFile: '/b.pem' });
});

test('variables that nothing reads are named, with the nearest one that something does', (t) => {
  const { warnings } = read({ NSM_DAIL_TIMEOUT: '1s', NSM_COLOUR_OF_IT_ALL: 'red', OTHER: 'x' });
  t.deepEqual(warnings, [
    'NSM_DAIL_TIMEOUT is no variable of a forwarder; did you mean NSM_DIAL_TIMEOUT?',
    'NSM_COLOUR_OF_IT_ALL is no variable of a forwarder',
  ]);
});

test('variables of cmd-forwarder-vpp about what Crosswire does not have are taken without a word', (t) => {
  const all = Object.fromEntries(withoutEffect.map((variable) => [variable, 'anything']));
  t.deepEqual(read({ ...all, NSM_PROMETHEUS_LISTEN_ON: ':8081', NSM_LOG_LEVEL: 'INFO' }).warnings, []);
});

test('whoever counts on TLS for the metrics is told that there is none', (t) => {
  const files = { NSM_PROMETHEUS_CERT_FILE: '/cert', NSM_PROMETHEUS_KEY_FILE: '/key', NSM_PROMETHEUS_CA_FILE: '/ca' };
  t.deepEqual(
    read({ ...files, PROMETHEUS: 'true' }).warnings.map((warning) => warning.replace(/;.*/, '')),
    [
      'NSM_PROMETHEUS_CERT_FILE: metrics are served without TLS',
      'NSM_PROMETHEUS_CA_FILE: clients of the metrics need no certificate',
    ],
  );
});

test('policies that Crosswire does not have are named, and those beside them are checked', (t) => {
  const asked = 'etc/nsm/opa/common/tokens_valid.rego,etc/nsm/own.rego,etc/nsm/opa/server/.*.rego';
  const { options, warnings } = read({ NSM_REGISTRY_CLIENT_POLICIES: asked });
  t.deepEqual(options?.registryPolicies, ['tokens_valid']);
  t.deepEqual(warnings, [
    "NSM_REGISTRY_CLIENT_POLICIES: Crosswire has no policy 'etc/nsm/own.rego', 'etc/nsm/opa/server/.*.rego', and does not check it",
  ]);
});

test('an empty variable is one that is not set', (t) => {
  const empty = Object.fromEntries(
    nsmOptionRows.map(({ environment }) => [environment, '']).filter(([name = '']) => !(name in least)),
  ) as Record<string, string>;
  t.deepEqual(read(empty), read());
});

const runOptions = (more: Readonly<Record<string, string>>) => readRunOptions({}, withNsmNames({ ...least, ...more }));

test('the SR-IOV file has a name of its own, which wins over NSM’s', (t) => {
  const named = { NSM_SRIOV_CONFIG_FILE: '/etc/sriov.yaml' };
  t.is(runOptions(named).sriovConfigFile, '/etc/sriov.yaml');
  t.is(runOptions({ ...named, CROSSWIRE_SRIOV_CONFIG_FILE: '/own.yaml' }).sriovConfigFile, '/own.yaml');
  t.is(runOptions({}).sriovConfigFile, '');
});

for (const [said, level] of Object.entries({
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  WARNING: 'warn',
  error: 'error',
  Fatal: 'fatal',
  PANIC: 'fatal',
}))
  test(`NSM_LOG_LEVEL=${said} is ${level}`, (t) => {
    t.is(runOptions({ NSM_LOG_LEVEL: said }).logLevel, level as 'trace');
  });

for (const [variable, text] of [
  ['NSM_LOG_LEVEL', 'LOUD'],
  ['NSM_PROMETHEUS_LISTEN_ON', 'nowhere'],
] as const)
  test(`a bad ${variable} is told by that name`, (t) => {
    const environment = { ...least, PROMETHEUS: 'true', [variable]: text };
    const error = t.throws<AggregateError>(() =>
      readRunOptions({}, withNsmNames(environment), nsmNamesUsed(environment)),
    );
    t.like(error.errors, { length: 1, 0: { code: 'OPTION_INVALID', subject: variable } });
  });

test("Crosswire's own names win over NSM's", (t) => {
  t.is(runOptions({ NSM_LOG_LEVEL: 'TRACE', CROSSWIRE_LOG_LEVEL: 'error' }).logLevel, 'error');
});

test("PROMETHEUS=true: the counters of NSM's forwarder, where and as they were", (t) => {
  t.like(runOptions({ PROMETHEUS: 'true' }), { metricsCompat: 'nsm', metrics: { host: '::', port: 8081 } });
  const said = { NSM_PROMETHEUS_LISTEN_ON: '127.0.0.1:9000', PROMETHEUS_METRICS_PREFIX: 'vpp' };
  t.like(runOptions({ PROMETHEUS: 'true', ...said }), {
    metricsCompat: 'nsm',
    metricsCompatPrefix: 'vpp',
    metrics: { port: 9000 },
  });
  for (const PROMETHEUS of ['false', '', 'perhaps'])
    t.like(runOptions({ PROMETHEUS, ...said }), {
      metricsCompat: 'none',
      metricsCompatPrefix: '',
      metrics: { port: 9750 },
    });
});
