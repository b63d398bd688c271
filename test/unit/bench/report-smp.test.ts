// SPDX-License-Identifier: Apache-2.0
// The bench's Service Mesh Performance documents match the schema and the run.

import test from 'ava';
import { parse, parseAllDocuments } from 'yaml';
import { smpJson, smpYaml } from '../../../bench/report/smp-text.ts';
import { type SmpDocuments, smpDocuments } from '../../../bench/report/smp.ts';
import { exampleRun, measured } from '../../support/bench-run.ts';
import { decode, encode, textFormat } from '../../support/protobuf-text.ts';
import { testWith } from '../../support/requires.ts';

type Fields = Record<string, any>;

const typeOf: Record<keyof SmpDocuments, string> = {
  config: 'smp.PerformanceTestConfig',
  mesh: 'smp.ServiceMeshConfig',
  env: 'smp.EnvironmentConfig',
  result: 'smp.PerformanceTestResult',
};
const kinds = Object.keys(typeOf) as (keyof SmpDocuments)[];

const documents = smpDocuments(exampleRun());

function fromYaml(kind: keyof SmpDocuments, from = documents): Fields[] {
  return parseAllDocuments(smpYaml(from[kind])).map((document) => (document as { toJSON(): Fields }).toJSON());
}

/** Translates back to the schema's names; in protobuf's JSON a 64-bit integer must be a string. */
function fromJson(value: unknown, path = ''): any {
  if (path === '.clients.rps' || path === '.nodes.memMb')
    return typeof value === 'string' ? Number(value) : 'no string';
  if (Array.isArray(value)) return value.map((element) => fromJson(element, path));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      path.endsWith('.labels') ? name : name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      fromJson(field, `${path}.${name}`),
    ]),
  );
}

const resultOf = (name: string, state: string) =>
  fromYaml('result').find(({ labels }) => labels.measurement === name && labels.machine_state === state) as Fields;

testWith(['protoc'], 'protoc takes every document as a message of the schema', (t) => {
  for (const kind of kinds) {
    const messages = fromYaml(kind);
    t.true(messages.length > 0);
    for (const message of messages) t.true(encode(typeOf[kind], textFormat(message)).length > 0);
  }
});

testWith(['protoc'], 'the JSON form is the same message to the byte', (t) => {
  for (const kind of kinds) {
    const json: unknown[] = JSON.parse(smpJson(documents[kind]));
    const wire = (message: Fields) => encode(typeOf[kind], textFormat(message)).toString('hex');
    t.deepEqual(
      json.map((message) => wire(fromJson(message))),
      fromYaml(kind).map(wire),
    );
  }
});

testWith(['protoc'], 'a field that the schema does not know, or of another type, is refused', (t) => {
  const message = fromYaml('result')[0] as Fields;
  t.throws(() => encode(typeOf.result, textFormat({ ...message, loss: 0.1 })), { message: /no field named "loss"/ });
  t.throws(() => encode(typeOf.result, textFormat({ ...message, actual_qps: 'many' })));
});

testWith(['protoc'], 'milliseconds are milliseconds: 850 ns arrive as 0.00085', (t) => {
  const text = textFormat(resultOf('latency-64/testpmd', 'fast'));
  const decoded = decode(typeOf.result, encode(typeOf.result, text));
  for (const line of ['min: 0.00085', 'average: 0.0019', 'p50: 0.0018', 'p90: 0.0026', 'p99: 0.0042', 'max: 0.084'])
    t.regex(decoded, new RegExp(`^  ${line.replace('.', '\\.')}$`, 'm'));
});

test('latency measured in any unit gives the same milliseconds', (t) => {
  const given = (unit: string, value: number) => {
    const series = [{ name: 'crosswire', x: 'percentile' as const, points: [[50, value]] as const }];
    const measurement = measured(1, 1, { name: 'latency', title: 'latency', unit, series });
    return smpDocuments(exampleRun({ measurements: [measurement] })).result[0]?.['latencies_ms'];
  };
  for (const latency of [given('ns', 1800), given('µs', 1.8), given('ms', 0.0018), given('s', 0.0000018)])
    t.is((latency as Fields)['p50'], 0.0018);
  t.is(given('frames', 3), undefined);
});

testWith(['protoc'], 'milliseconds come from the histograms of the samples too', (t) => {
  const text = textFormat(resultOf('latency-10-p99/testpmd', 'fast'));
  const decoded = decode(typeOf.result, encode(typeOf.result, text));
  for (const line of ['min: 0.00085', 'p50: 0.0018', 'p90: 0.0018', 'p99: 0.0042', 'max: 0.084'])
    t.regex(decoded, new RegExp(`^  ${line.replace('.', '\\.')}$`, 'm'));
  // (100 · 850 + 800 · 1800 + 90 · 4200 + 10 · 84,000) / 1000 ns
  t.regex(decoded, /^  average: 0\.002743$/m);
});

test('results name their test, mesh and environment, and every name is found once', (t) => {
  const ids = (kind: keyof SmpDocuments) => fromYaml(kind).map(({ id }) => id as string);
  const all = kinds.flatMap(ids);
  t.is(new Set(all).size, all.length);
  for (const result of fromYaml('result')) {
    t.true(ids('config').includes(result['test_id']));
    t.true(ids('mesh').includes(result['mesh_config_id']));
    t.true(ids('env').includes(result['env_id']));
  }
});

test('a result is one measurement on one state of the machine', (t) => {
  const fast = resultOf('memif-64/testpmd', 'fast');
  t.is(fast['actual_qps'], 28.4e6);
  t.is(fast['start_time'], '2026-03-01T10:00:10.500Z');
  t.is(fast['end_time'], '2026-03-01T10:00:23.000Z');
  t.like(fast['labels'], { rival: 'testpmd io', target: '1.4', target_verdict: 'met', pairs: '5', pairs_dropped: '1' });
  t.is(fast['labels'].times_of, undefined);
  t.is(resultOf('memif-64/testpmd', 'slow')['actual_qps'], 17.75e6);
  t.is(resultOf('kernel-tcp/bridge', 'fast')['actual_qps'], undefined, 'Gbit/s are no frames per second');
  t.is(resultOf('kernel-tcp/bridge', 'fast')['labels'].times_of, 'whole run');
  t.is(resultOf('latency-64/testpmd', 'fast')['labels']['latency_p99.9_ms'], '0.011');
});

test('what was not measured has no result', (t) => {
  const names = fromYaml('config').map(({ labels }) => labels.measurement);
  t.false(names.includes('memif-64/vpp'));
  t.false(names.includes('first-frame'));
});

test('configuration, mesh and environment say what was sent, what it cost and where', (t) => {
  const [config] = fromYaml('config');
  const latency = fromYaml('config').find(({ labels }) => labels.measurement === 'latency-64/testpmd') as Fields;
  const tcp = fromYaml('config').find(({ labels }) => labels.measurement === 'kernel-tcp/bridge') as Fields;
  t.is(config?.['duration'], '12.5s');
  t.like(config?.['labels'], { frame: 'ethernet', frame_size: '64' });
  t.is(latency['clients'][0].rps, 9_000_000);
  t.is(tcp['clients'][0].protocol, 'PROTOCOL_TCP');
  const mesh = fromYaml('mesh')[0] as Fields;
  t.deepEqual(mesh['sidecar'], { count: 1, cpu_mcores: 980, mem_mb: 64, rps: 28_400_000 });
  t.deepEqual(mesh['mesh_type'], { type: 'NETWORK_SERVICE_MESH', version: '0.1.0' });
  const environment = fromYaml('env')[0] as Fields;
  t.deepEqual(environment['nodes'], [{ type: 'Example CPU @ 2.50GHz', cores: 2, mem_mb: 8195 }]);
});

test('the environment is one document that any YAML reader takes', (t) => {
  t.is(parse(smpYaml(documents.env)).smp_version, 'v0.6.1');
});
