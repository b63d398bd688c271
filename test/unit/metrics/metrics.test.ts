// SPDX-License-Identifier: Apache-2.0

import { spawnSync } from 'node:child_process';
import test from 'ava';
import type { WorkerStatistics } from '../../../src/dataplane/types.ts';
import { Exposition, type MetricsSource } from '../../../src/metrics/exposition.ts';
import { ProcessMetrics } from '../../../src/metrics/process-metrics.ts';
import type { DeviceReport } from '../../../src/model/device-status.ts';
import type { WireCounters } from '../../../src/model/status.ts';
import type { WireStatus } from '../../../src/wire/status.ts';
import { findProgram, testWith } from '../../support/requires.ts';
import { devices } from '../../fakes/devices-report.ts';
import { counters, kernel, memif, status, wire } from '../../fakes/wires.ts';

const worker: WorkerStatistics = {
  worker: 0,
  busyNanoseconds: 1_500_000_001n,
  idleNanoseconds: 2n,
  wakeUps: 3n,
  bursts: 6n,
  frames: 70n,
  wires: 2,
  hotWires: 1,
  framesPerBurst: [1n, 2n, 0n, 0n, 0n, 0n, 3n, 0n, 0n],
};

class Source implements MetricsSource {
  wires: WireStatus[] = [];
  readonly byName = new Map<string, WireCounters>();
  snapshots = 0;

  add(wireStatus: WireStatus, wireCounters?: WireCounters): this {
    this.wires.push(wireStatus);
    if (wireCounters) this.byName.set(wireStatus.name, wireCounters);
    return this;
  }

  async list(): Promise<WireStatus[]> {
    return this.wires;
  }
  async counters(): Promise<Map<string, WireCounters>> {
    this.snapshots++;
    return this.byName;
  }
  health() {
    return [{ code: 'X', severity: 'warning', text: 'x', since: '2026-11-20T08:00:00Z' }] as const;
  }
  workers() {
    return [worker];
  }
  async throttling() {
    return { periods: 10n, throttledPeriods: 4n, throttledNanoseconds: 1_000_000n };
  }
  report: DeviceReport = { physicalFunctions: [], devices: [], lost: [] };
  async devices() {
    return this.report;
  }
}

const processMetrics = new ProcessMetrics(() => 0);
const expositionOf = (source: MetricsSource, compat: 'none' | 'nsm2019' = 'none') =>
  new Exposition({ source, process: processMetrics, version: '0.1.0', compat });
const textOf = async (exposition: Exposition) => Buffer.concat(await exposition.render()).toString();
const linesOf = (text: string, start: string) => text.split('\n').filter((line) => line.startsWith(start));

const past53 = 2n ** 53n + 1n;
const chain = wire('chain', {
  payload: 'ip',
  networkService: 'firewall',
  labels: { podName: 'web-0', nodeName: 'n1' },
  client: { mechanism: kernel('nsm-1'), pod: 'web-0', namespace: 'shop' },
  endpoint: { mechanism: memif('/run/fw.sock') },
});

/** The metrics of the wires only: those of the process are never the same twice. */
const wiresOf = (text: string) =>
  text
    .split('\n')
    .filter((line) => line.includes('crosswire_wire_') && !line.includes('_setup_'))
    .join('\n');

test('what is kept from scrape to scrape never shows: the text is that of an exposition that has nothing yet', async (t) => {
  const source = new Source();
  const set = (at: number, wireStatus = status(wire(`w${1000 + at}`)), ends = counters()) => {
    source.wires[at] = wireStatus;
    source.byName.set(wireStatus.name, ends);
  };
  for (let at = 0; at < 200; at++) set(at);
  const exposition = expositionOf(source);
  const changes: (() => void)[] = [
    () => {},
    () => set(70, source.wires[70], counters({ rxBytes: 5n }, { drops: { kernel_queue: 1n } })),
    () => set(70, source.wires[70], counters({ rxBytes: 5n }, { drops: { kernel_queue: 1n, tx_full: 2n } })),
    () => set(199, source.wires[199], counters({}, { txErrors: 1n })),
    () => set(3, status(wire('w1003'), { client: { ...status(wire('w1003')).client, up: false } })),
    () => set(4, status(wire('w1004', { networkService: 'other' }))),
    () => set(5, status(wire('w1005', { labels: { clusterName: 'c1' } }))),
    () => void source.byName.delete('w1005'),
    () => void source.wires.splice(64, 1),
    () => void source.wires.splice(10, 0, status(wire('w1009x'))),
    () => void source.wires.splice(0),
  ];
  for (const change of changes) {
    change();
    t.is(wiresOf(await textOf(exposition)), wiresOf(await textOf(expositionOf(source))));
  }
});

test('every counter of both ends, under one set of labels, exact past 2^53', async (t) => {
  const source = new Source().add(status(chain), counters({ rxBytes: past53, rxPackets: 7n }, { txPackets: 5n }));
  const text = await textOf(expositionOf(source));
  const labels = (end: string) =>
    `{wire="chain",end="${end}",network_service="firewall",client_pod="web-0",client_namespace="shop",endpoint_pod="",endpoint_namespace=""}`;
  t.true(text.includes(`crosswire_wire_rx_bytes_total${labels('client')} 9007199254740993\n`));
  for (const name of ['rx_bytes', 'tx_bytes', 'rx_packets', 'tx_packets', 'rx_error_packets', 'tx_error_packets'])
    for (const end of ['client', 'endpoint'])
      t.is(linesOf(text, `crosswire_wire_${name}_total${labels(end)} `).length, 1);
});

test('drop reasons that can occur are there from zero on, others once they counted', async (t) => {
  const source = new Source()
    .add(status(chain), counters({ drops: { tx_full: 3n, bad_desc: 0n, kernel_queue: 2n } }))
    .add(status(wire('direct')), counters());
  const text = await textOf(expositionOf(source));
  const reasons = (name: string, end: string) =>
    linesOf(text, `crosswire_wire_drops_total{wire="${name}",end="${end}"`).map((line) =>
      line.replace(/.*reason="(\w+)"\} (\d+)/, '$1=$2'),
    );
  t.deepEqual(reasons('chain', 'client'), [
    'tx_full=3',
    'too_big=0',
    'too_short=0',
    'link_down=0',
    'bad_checksum=0',
    'bad_offload=0',
    'bad_payload=0',
    'kernel_queue=2',
  ]);
  t.deepEqual(reasons('chain', 'endpoint'), [
    'tx_full=0',
    'too_big=0',
    'too_short=0',
    'link_down=0',
    'bad_desc=0',
    'bad_index=0',
    'io_error=0',
    'bad_payload=0',
  ]);
  t.deepEqual(reasons('direct', 'client'), ['kernel_queue=0']);
});

test('info and up', async (t) => {
  const down = status(chain);
  const source = new Source()
    .add({ ...down, endpoint: { ...down.endpoint, up: false } })
    .add(status(wire('direct')), counters());
  const text = await textOf(expositionOf(source));
  t.true(
    text.includes(
      'payload="ip",mtu="1500",path="engine",client_mechanism="kernel",endpoint_mechanism="memif",client_interface="nsm-1",endpoint_interface="",client_socket="",endpoint_socket="/run/fw.sock",client_node="n1",client_cluster=""} 1\n',
    ),
  );
  t.regex(text, /^crosswire_wire_up\{wire="chain",.*\} 0$/m);
  t.regex(text, /^crosswire_wire_up\{wire="direct",.*\} 1$/m);
  t.deepEqual(linesOf(text, 'crosswire_wire_rx_bytes_total{wire="chain"'), [], 'a wire never made has no counters');
});

test('label values are escaped', async (t) => {
  const nasty = wire('nasty', { networkService: 'a"b\\c\nd' });
  const text = await textOf(expositionOf(new Source().add(status(nasty), counters())));
  t.true(text.includes('network_service="a\\"b\\\\c\\nd"'));
});

test('series vanish with their wire, and labels follow a changed wire', async (t) => {
  const source = new Source().add(status(wire('a')), counters()).add(status(wire('b')), counters());
  const exposition = expositionOf(source);
  t.true((await textOf(exposition)).includes('wire="b"'));
  source.wires = [status(wire('a', { networkService: 'new' }))];
  const text = await textOf(exposition);
  t.false(text.includes('wire="b"'));
  t.false(text.includes('wire="a",end="client",network_service=""'));
  t.true(text.includes('wire="a",end="client",network_service="new"'));
});

test('scrapes that overlap share one snapshot; the next one takes its own', async (t) => {
  const source = new Source().add(status(chain), counters());
  const exposition = expositionOf(source);
  const [first, second] = await Promise.all([exposition.render(), exposition.render()]);
  t.is(first, second);
  t.is(source.snapshots, 1);
  await exposition.render();
  t.is(source.snapshots, 2);
});

test('a failed scrape is not remembered', async (t) => {
  const source = new Source();
  const exposition = expositionOf(source);
  source.counters = () => Promise.reject(new Error('gone'));
  await t.throwsAsync(exposition.render(), { message: 'gone' });
  source.counters = () => Promise.resolve(new Map());
  await t.notThrowsAsync(exposition.render());
});

test('the event loop turns while 10,000 wires are rendered', async (t) => {
  const source = new Source();
  for (let i = 0; i < 10_000; i++) source.add(status(wire(`wire-${i}`)), counters({ rxBytes: BigInt(i) }));
  let turns = 0;
  let done = false;
  const turn = () => {
    turns++;
    if (!done) setImmediate(turn);
  };
  setImmediate(turn);
  const text = await textOf(expositionOf(source));
  done = true;
  t.is(linesOf(text, 'crosswire_wire_rx_bytes_total{').length, 20_000);
  t.true(turns > 3, `${turns} turns`);
});

test('workers: exact seconds, and a histogram whose +Inf bucket is its count', async (t) => {
  const text = await textOf(expositionOf(new Source()));
  t.true(text.includes('crosswire_worker_busy_seconds_total{worker="0"} 1.500000001\n'));
  t.deepEqual(linesOf(text, 'crosswire_worker_frames_per_burst'), [
    ...[1, 3, 3, 3, 3, 3, 6, 6, 6].map(
      (count, power) => `crosswire_worker_frames_per_burst_bucket{worker="0",le="${2 ** power}"} ${count}`,
    ),
    'crosswire_worker_frames_per_burst_bucket{worker="0",le="+Inf"} 6',
    'crosswire_worker_frames_per_burst_sum{worker="0"} 70',
    'crosswire_worker_frames_per_burst_count{worker="0"} 6',
  ]);
});

test('throttling, phases, health and set-up times', async (t) => {
  processMetrics.observeSetup(0.004, 'veth');
  const text = await textOf(expositionOf(new Source().add(status(chain), counters())));
  t.true(text.includes('crosswire_cpu_throttled_seconds_total 0.001000000\n'));
  t.true(text.includes('crosswire_wires{phase="up"} 1\n'));
  t.true(text.includes('crosswire_wires{phase="failed"} 0\n'));
  t.true(text.includes('crosswire_health_records{severity="warning"} 1\n'));
  t.true(text.includes('crosswire_wire_setup_seconds_bucket{le="0.005",path="veth"} 1\n'));
  t.true(text.includes('crosswire_wire_setup_seconds_count{path="engine"} 0\n'));
  t.regex(text, /^process_open_fds \d+$/m);
});

test('nsm2019: each end is a source, pods without a name are left out, wires of the same pods add up', async (t) => {
  const pods = {
    client: { mechanism: kernel('a'), pod: 'web', namespace: 'shop' },
    endpoint: { mechanism: kernel('b'), pod: 'fw', namespace: 'sec' },
  };
  const source = new Source()
    .add(status(wire('one', pods)), counters({ rxBytes: past53 }, { rxBytes: 5n }))
    .add(status(wire('two', pods)), counters({ rxBytes: 1n }, { txErrors: 2n }))
    .add(status(chain), counters({ rxBytes: 100n }));
  const text = await textOf(expositionOf(source, 'nsm2019'));
  t.deepEqual(linesOf(text, 'rx_bytes'), [
    'rx_bytes{src_pod_name="web",src_pod_namespace="shop",dst_pod_name="fw",dst_pod_namespace="sec"} 9007199254740994',
    'rx_bytes{src_pod_name="fw",src_pod_namespace="sec",dst_pod_name="web",dst_pod_namespace="shop"} 5',
  ]);
  t.is(linesOf(text, 'tx_error_packets{src_pod_name="fw"').length, 1);
  t.true(text.includes('# TYPE rx_bytes gauge\n'));
  t.false((await textOf(expositionOf(source))).includes('\nrx_bytes{'), 'only when asked for');
});

testWith(['prometheus'], 'promtool finds nothing to complain about', async (t) => {
  const source = new Source().add(status(chain), counters()).add(status(wire('direct')), counters());
  const input = await textOf(expositionOf(source));
  const promtool = findProgram('promtool') as string;
  const { status: code, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], { input, encoding: 'utf8' });
  t.is(`${stdout}${stderr}`, '');
  t.is(code, 0);
});

test('devices: by state and NIC, whose they are, and counters where the NIC counts', async (t) => {
  const source = new Source();
  t.deepEqual(linesOf(await textOf(expositionOf(source)), 'crosswire_device'), []);
  source.report = devices;
  const text = await textOf(expositionOf(source));
  t.deepEqual(linesOf(text, 'crosswire_devices{physical_function="0000:01:00.0"'), [
    'crosswire_devices{physical_function="0000:01:00.0",state="free"} 2',
    'crosswire_devices{physical_function="0000:01:00.0",state="leased"} 1',
    'crosswire_devices{physical_function="0000:01:00.0",state="unusable"} 1',
  ]);
  t.is(linesOf(text, 'crosswire_device_info{').length, 4);
  t.true(
    text.includes(
      'crosswire_device_info{device="0000:01:10.0",physical_function="0000:01:00.0",driver="igbvf",wire="a-to-b",end="client"} 1\n',
    ),
  );
  t.deepEqual(linesOf(text, 'crosswire_device_rx_packets_total{'), [
    'crosswire_device_rx_packets_total{device="0000:01:10.0"} 9007199254740993',
  ]);
  t.deepEqual(linesOf(text, 'crosswire_device_tx_drops_total{'), [
    'crosswire_device_tx_drops_total{device="0000:01:10.0"} 6',
  ]);
});
