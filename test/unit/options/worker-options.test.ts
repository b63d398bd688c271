// SPDX-License-Identifier: Apache-2.0
// The CPUs of workers: lists of CPUs, contradictions, and CPUs that the machine does not have.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { readRunOptions } from '../../../src/options/read-options.ts';
import { NativeDataplane } from '../../../src/dataplane/dataplane.ts';
import { requireOnline } from '../../../src/machine/online-cpus.ts';
import { parseCpuList } from '../../../src/model/cpu-list.ts';

test('lists of CPUs, as the kernel writes them', (t) => {
  t.deepEqual(parseCpuList('0'), [0]);
  t.deepEqual(parseCpuList('8,2-5'), [2, 3, 4, 5, 8]);
  t.deepEqual(parseCpuList('1-3,2,3-4'), [1, 2, 3, 4]);
  t.deepEqual(parseCpuList('7-7,1023'), [7, 1023]);
  for (const text of [
    '',
    'a',
    '-1',
    '1-',
    '3-2',
    '1,,2',
    ',',
    '1 2',
    '0x1',
    '1.5',
    '1-2-3',
    '1024',
    '0-99999',
    '2-8:2/4',
  ])
    t.is(parseCpuList(text), undefined, text);
});

test('CPUs ask for a worker each, and a number of workers takes the first of them', (t) => {
  t.like(readRunOptions({}, {}), { workers: 1, workerCpus: [], busyPoll: false });
  t.like(readRunOptions({ workerCpus: '2-5,8' }, {}), { workers: 5, workerCpus: [2, 3, 4, 5, 8] });
  t.like(readRunOptions({ workerCpus: '2-5', workers: '2' }, {}), { workers: 2, workerCpus: [2, 3, 4, 5] });
  t.like(readRunOptions({ workerCpus: '0-99' }, {}), { workers: 64 });
  t.like(readRunOptions({ busyPoll: true }, { CROSSWIRE_WORKER_CPUS: '3' }), { workerCpus: [3], busyPoll: true });
});

test('fewer CPUs than workers are refused', (t) => {
  const error = t.throws(() => readRunOptions({ workers: '3', workerCpus: '0,1,1' }, {})) as AggregateError;
  t.like(error.errors[0], { code: 'OPTION_INVALID', subject: '--worker-cpus', reason: 'names 2 CPUs for 3 workers' });
  t.is(error.errors.length, 1);
});

test('a CPU that is not online is named, with those that are', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'crosswire-cpus-'));
  t.teardown(() => rm(root, { recursive: true }));
  await requireOnline([77], root); // not known here: the kernel decides
  await mkdir(join(root, 'sys/devices/system/cpu'), { recursive: true });
  await writeFile(join(root, 'sys/devices/system/cpu/online'), '0-3,6\n');
  await requireOnline([0, 3, 6], root);
  await requireOnline([], root);
  const error = await t.throwsAsync(requireOnline([3, 4, 9], root), { code: 'CPU_UNAVAILABLE' });
  t.like(error, { subject: 'CPU 4, CPU 9', hint: 'online here: 0-3,6; change --worker-cpus' });
});

test('the data plane itself refuses CPUs that are none, and what the kernel refuses', async (t) => {
  const start = (options: object) => {
    const dataplane = new NativeDataplane();
    return dataplane.start(options).finally(() => dataplane.close());
  };
  for (const cpus of ['0', [-1], [1024], [0.5], ['0']])
    await t.throwsAsync(start({ cpus }), { code: 'INVALID_ARGUMENT' }, JSON.stringify(cpus));
  await t.throwsAsync(start({ busyPoll: 'yes' }), { code: 'INVALID_ARGUMENT' });
  await t.throwsAsync(start({ cpus: [1023] }), { code: 'CPU_UNAVAILABLE', message: /cw-worker-0, CPU 1023/ });
});
