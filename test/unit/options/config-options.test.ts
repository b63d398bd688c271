// SPDX-License-Identifier: Apache-2.0
// The daemon's options: the command line wins over the environment, the environment over the default; all errors are reported.

import test from 'ava';
import { parseListenAddress } from '../../../src/options/listen-address.ts';
import { nearest } from '../../../src/model/nearest.ts';
import { readRunOptions } from '../../../src/options/read-options.ts';
import { defaultNode, runOptionRows } from '../../../src/options/run-options.ts';

test('defaults', (t) => {
  const options = readRunOptions({}, {});
  t.like(options, {
    stateDirectory: '/var/lib/crosswire',
    control: '/run/crosswire/control.sock',
    metrics: { host: '127.0.0.1', port: 9750 },
    metricsCompat: 'none',
    workers: 1,
    removeOnExit: false,
    resyncSeconds: 30,
    logLevel: 'info',
  });
  t.deepEqual(options.wires, []);
  t.regex(options.node, /^[A-Za-z0-9-]+$/);
  t.true(Object.isFrozen(options));
});

test('the command line wins over the environment, which wins over the default', (t) => {
  const environment = { CROSSWIRE_WORKERS: '2', CROSSWIRE_LOG_LEVEL: 'debug', CROSSWIRE_METRICS: '' };
  t.like(readRunOptions({ workers: '3' }, environment), { workers: 3, logLevel: 'debug', metrics: { port: 9750 } });
});

test('wires: repeated on the command line, with colons in the environment', (t) => {
  t.deepEqual(readRunOptions({ wires: ['a.yaml', 'b.yaml'] }, {}).wires, ['a.yaml', 'b.yaml']);
  t.deepEqual(readRunOptions({}, { CROSSWIRE_WIRES: 'a.yaml:b.yaml' }).wires, ['a.yaml', 'b.yaml']);
});

test('daemons with different state directories are different nodes', (t) => {
  const one = defaultNode('/tmp/one');
  t.is(new Set([defaultNode('/var/lib/crosswire'), one, defaultNode('/tmp/two')]).size, 3);
  t.is(defaultNode('/tmp/x/../one'), one);
  t.is(readRunOptions({ stateDirectory: '/tmp/one' }, {}).node, one);
});

const bad: Record<string, [key: string, ...texts: string[]]> = {
  '--state-dir': ['stateDirectory', ''],
  '--control': ['control', '', `/${'x'.repeat(107)}`],
  '--metrics': ['metrics', 'nonsense', '127.0.0.1', '127.0.0.1:65536', '[::1]', '[nonsense]:1', 'a b:1'],
  '--metrics-compat': ['metricsCompat', 'nsm2020'],
  '--metrics-compat-prefix': ['metricsCompatPrefix', '1st', 'a-b', 'ü'],
  '--node': ['node', 'a/b', '-a', 'x'.repeat(64)],
  '--workers': ['workers', '0', '65', '1.5', 'many', '-1', '1e1'],
  '--worker-cpus': ['workerCpus', 'all', '0,', '3-2', '1024', '0-5:2'],
  '--busy-poll': ['busyPoll', 'perhaps'],
  '--remove-on-exit': ['removeOnExit', 'perhaps'],
  '--resync-seconds': ['resyncSeconds', '0', '86401'],
  '--log-level': ['logLevel', 'loud'],
};

for (const [flag, [key, ...texts]] of Object.entries(bad))
  for (const text of texts)
    test(`${flag} cannot be '${text.slice(0, 20)}'`, (t) => {
      const error = t.throws(() => readRunOptions({ [key]: text }, {}), {
        instanceOf: AggregateError,
      }) as AggregateError;
      t.like(error.errors, { length: 1, 0: { code: 'OPTION_INVALID', subject: flag } });
    });

test('every error at once, named after where the value came from', (t) => {
  const error = t.throws(() => readRunOptions({ workers: '0' }, { CROSSWIRE_METRICS: 'x' })) as AggregateError;
  t.deepEqual(
    (error.errors as { subject: string }[]).map(({ subject }) => subject),
    ['CROSSWIRE_METRICS', '--workers'],
  );
});

test('every option has a flag, a variable and a default that can be read', (t) => {
  t.is(new Set(runOptionRows.map(({ flag }) => flag)).size, runOptionRows.length);
  t.is(new Set(runOptionRows.map(({ environment }) => environment)).size, runOptionRows.length);
  for (const row of runOptionRows) t.true('value' in row.read(row.default), row.flag);
});

test('listening addresses', (t) => {
  t.deepEqual(parseListenAddress('[::1]:80'), { host: '::1', port: 80 });
  t.deepEqual(parseListenAddress(':9750'), { host: '::', port: 9750 });
  t.deepEqual(parseListenAddress('localhost:0'), { host: 'localhost', port: 0 });
});

test('the nearest word', (t) => {
  t.is(nearest('interfase', ['interface', 'inode']), 'interface');
  t.is(nearest('paylaod', ['payload']), 'payload', 'two letters exchanged');
  t.is(nearest('MTU', ['mtu']), 'mtu');
  t.is(nearest('colour', ['payload', 'mtu']), undefined);
  t.is(nearest('x'.repeat(10_000), ['mtu']), undefined);
});
