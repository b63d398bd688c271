// SPDX-License-Identifier: Apache-2.0
// A real Prometheus scrapes the forwarder and is queried for the traffic between two pods.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { stringify } from 'yaml';
import { Daemon, freePort } from '../support/daemon.ts';
import { Namespace } from '../support/namespace.ts';
import { findProgram, testWith } from '../support/requires.ts';
import { Background, eventually } from '../support/shell.ts';
import { kernelEnd, wireFile } from '../support/wires.ts';

let directory: string;
let daemon: Daemon;
let a: Namespace;
let b: Namespace;
let prometheus: Background | undefined;

test.before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cwt-prometheus-'));
  [a, b] = [await Namespace.make('a'), await Namespace.make('b')];
  daemon = await Daemon.start('--metrics-compat', 'nsm2019');
  const client = kernelEnd(a, 'cw0', { addresses: ['10.81.0.1/24'] }, 'web-0');
  const endpoint = kernelEnd(b, 'cw0', { addresses: ['10.81.0.2/24'] }, 'fw-0');
  await daemon.mustApply(wireFile({ name: 'web-to-fw', networkService: 'secure-web', client, endpoint }));
});
test.after.always(async () => {
  await prometheus?.stop();
  await daemon?.destroy();
  for (const namespace of [a, b]) await namespace?.remove();
  await rm(directory, { recursive: true, force: true });
});

testWith(['root', 'prometheus'], 'promtool finds nothing to complain about', async (t) => {
  const { text } = await daemon.metrics();
  // The six names of nsm2019 are fixed by that format and violate promtool's naming rules.
  const ours = text
    .split('\n')
    .filter((line) => !/^(# (HELP|TYPE) )?[rt]x_(bytes|packets|error_packets)\b/.test(line))
    .join('\n');
  const check = spawnSync(findProgram('promtool') as string, ['check', 'metrics'], { input: ours, encoding: 'utf8' });
  t.is(check.status, 0, check.stderr + check.stdout);
});

testWith(['root', 'prometheus', 'ping'], 'PromQL gives the traffic between two named pods', async (t) => {
  const config = {
    global: { scrape_interval: '1s' },
    scrape_configs: [{ job_name: 'crosswire', static_configs: [{ targets: [daemon.metricsAddress] }] }],
  };
  await writeFile(join(directory, 'prometheus.yml'), stringify(config));
  const address = `127.0.0.1:${await freePort()}`;
  prometheus = new Background(findProgram('prometheus') as string, [
    `--config.file=${join(directory, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=${address}`,
  ]);
  await prometheus.says('Server is ready');
  const query = async (text: string): Promise<{ metric: Record<string, string>; value: [number, string] }[]> => {
    const response = await fetch(`http://${address}/api/v1/query?query=${encodeURIComponent(text)}`);
    return ((await response.json()) as { data: { result: never[] } }).data.result;
  };
  await a.run('ping', '-q', '-c', '10', '-i', '0.01', '-W', '1', '10.81.0.2');
  const expected = (await daemon.metrics()).sum('crosswire_wire_rx_packets_total', { end: 'client' });
  const sum =
    'sum by (client_pod, endpoint_pod) (crosswire_wire_rx_packets_total{client_pod="web-0",endpoint_pod="fw-0",end="client"})';
  await eventually('Prometheus has the counters', async () => {
    const [row] = await query(sum);
    return row && BigInt(row.value[1]) >= expected;
  });
  const [info] = await query('crosswire_wire_info{wire="web-to-fw"}');
  t.is(info?.metric['client_mechanism'], 'kernel');
  t.is(info?.metric['client_interface'], 'cw0');
  const [up] = await query('crosswire_wire_up{wire="web-to-fw"}');
  t.is(up?.value[1], '1');
  // No label of ours collides with Prometheus's own: none was renamed to exported_….
  t.deepEqual(
    (await query('{__name__=~"crosswire_.*"}')).filter((row) =>
      Object.keys(row.metric).some((label) => label.startsWith('exported_')),
    ),
    [],
  );
  const [compat] = await query('rx_packets{src_pod_name="web-0",dst_pod_name="fw-0"}');
  t.truthy(compat, 'the gauges of nsm2019');

  // Series disappear with their wire.
  await daemon.cli('delete', 'web-to-fw');
  t.is((await daemon.metrics()).text.includes('web-to-fw'), false);
});

test('the generated list of metrics names what /metrics gives', async (t) => {
  const document = await readFile('docs/metrics.md', 'utf8');
  for (const name of ['crosswire_wire_rx_bytes_total', 'crosswire_wire_drops_total', 'crosswire_wire_up'])
    t.true(document.includes(name));
});
