// SPDX-License-Identifier: Apache-2.0
// `crosswire get devices`, over a real control server with a made-up machine behind it.

import test from 'ava';
import { runProgram } from '../../../src/cli/program.ts';
import { startControl } from '../../support/control.ts';

const nothing = async () => 0 as const;

async function get(path: string, ...args: string[]): Promise<string> {
  let out = '';
  const terminal = { out: (text: string) => void (out += text), err: () => {}, stdin: async () => '', environment: {} };
  const mesh = { request: nothing, endpoint: nothing, manager: nothing };
  const doctor = async () => ({ fit: true, findings: [] });
  const cleanup = async () => ({ node: '', dryRun: true, things: [], errors: [] });
  const program = { version: '1', terminal, run: nothing, mesh, doctor, cleanup };
  const code = await runProgram(['get', 'devices', '--control', path, ...args], program);
  return code === 0 ? out : `failed with ${code}`;
}

test('each virtual function with its state, its wire, and why it cannot be had', async (t) => {
  const { path } = await startControl(t);
  const columns = (await get(path)).split('\n').map((line) => line.split(/ {2,}/));
  t.deepEqual(columns, [
    ['DEVICE', 'NIC', 'STATE', 'DRIVER', 'GROUP', 'RESOURCES', 'WIRE', 'WHY'],
    ['0000:01:10.0', 'eth0/0', 'leased', 'igbvf', '10', 'worker.domain/10G', 'a-to-b/client', '-'],
    ['0000:01:10.2', 'eth0/1', 'free', 'igbvf', '11', 'worker.domain/10G', '-', '-'],
    [
      '0000:01:10.4',
      'eth0/2',
      'unusable',
      'igbvf',
      '-',
      'worker.domain/10G',
      '-',
      'the host uses it: eth4 has the address 192.0.2.1/24',
    ],
    [
      '0000:01:10.6',
      'eth0/3',
      'free (kernel only)',
      'igbvf',
      '-',
      'worker.domain/10G',
      '-',
      'vfio: it has no IOMMU group',
    ],
    ['0000:02:00.0 has none of its 7 virtual functions: it is not in the SR-IOV file'],
    ['0000:03:10.0 is leased to c-to-d/endpoint, and is not there any more'],
    [''],
  ]);
});

test('for programs: all that is known, counters as decimal digits', async (t) => {
  const { path } = await startControl(t);
  const { physicalFunctions, devices } = JSON.parse(await get(path, '-o', 'json')) as {
    physicalFunctions: object[];
    devices: { counters?: object }[];
  };
  t.is(physicalFunctions.length, 2);
  t.like(devices[0]?.counters, { rxPackets: '9007199254740993' });
  t.regex(await get(path, '-o', 'yaml'), /^physicalFunctions:\n {2}- driver: igb\n/);
});
