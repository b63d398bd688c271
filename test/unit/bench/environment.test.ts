// SPDX-License-Identifier: Apache-2.0
// The description of the machine in a run.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import test from 'ava';
import { environment } from '../../../bench/harness/environment.ts';
import { testWith } from '../../support/requires.ts';

const found = environment();

test('crosswire’s own version and commit, the kernel, the runtime, the CPU and the memory are recorded', (t) => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  t.is(found.versions['crosswire'], version);
  t.regex(found.commit, /^([0-9a-f]{10}(-dirty)?|unknown)$/);
  t.is(found.kernel, release());
  t.is(found.node, process.version);
  t.not(found.cpu, '');
  t.true(found.cpus >= 1);
  const total = Number(/^MemTotal:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) / 1024;
  t.is(found.memoryMiB, Math.round(total));
});

testWith(['dpdk-testpmd', 'iperf3'], 'rivals and tools are recorded with their versions', (t) => {
  t.regex(found.versions['DPDK'] ?? '', /^\d+\.\d+/);
  const said = execFileSync('iperf3', ['--version'], { encoding: 'utf8' });
  t.true(said.startsWith(`iperf ${found.versions['iperf3']} `), said);
});
