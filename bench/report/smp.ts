// SPDX-License-Identifier: Apache-2.0
// Makes Service Mesh Performance messages (smp.proto) of a run: one test and one mesh for each measurement, one result for
// each of its machine states, and one environment. SMP has no frames, rivals or machine states: these become labels.

import type { Measurement, Run } from '../harness/result.ts';
import { type Row, rowsOf, rowsOfMeasurement } from './rows.ts';
import { figureLabels, resultLabels, texts } from './smp-labels.ts';
import { latencyLabels, latencyOf } from './smp-latency.ts';

const smpVersion = 'v0.6.1';
const largestInt32 = 2 ** 31 - 1;

/** Fields by their names in smp.proto; a 64-bit integer is a bigint, and undefined is not written. */
export type Message = { readonly [field: string]: Value };
type Value = string | number | bigint | boolean | undefined | Message | readonly (string | Message)[];

export interface SmpDocuments {
  readonly config: Message[];
  readonly mesh: Message[];
  readonly env: Message[];
  readonly result: Message[];
}

export function smpDocuments(run: Run): SmpDocuments {
  const measured = run.measurements.filter((measurement) => rowsOfMeasurement(measurement).length > 0);
  return {
    config: measured.map((measurement) => testConfig(run, measurement)),
    mesh: measured.map((measurement) => meshConfig(run, measurement)),
    env: [environment(run)],
    result: rowsOf(run).map((row) => testResult(run, row)),
  };
}

const runId = ({ startedAt, environment }: Run) => `crosswire-bench/${startedAt}/${environment.commit}`;
const testId = (run: Run, { name }: Measurement) => `${runId(run)}/test/${name}`;
const meshId = (run: Run, { name }: Measurement) => `${runId(run)}/mesh/${name}`;
const environmentId = (run: Run) => `${runId(run)}/environment`;

function testConfig(run: Run, measurement: Measurement): Message {
  const { name, title, unit, better, subject, rival, frameBytes, wires, offeredRate } = measurement;
  return {
    smp_version: smpVersion,
    id: testId(run, measurement),
    name: title,
    labels: texts({ measurement: name, subject, rival, unit, better, ...frameLabels(measurement) }),
    clients: [
      {
        load_generator: 'crosswire-bench',
        protocol: protocolOf(measurement),
        connections: wires,
        rps: offeredRate === undefined ? undefined : BigInt(Math.round(offeredRate)),
        additional_options: JSON.stringify({ frameBytes, wires, offeredRate, quick: run.quick }),
      },
    ],
    duration: `${secondsOf(run, measurement)}s`,
  };
}

// SMP's only transport protocols are TCP and UDP; memif frames are neither.
function protocolOf({ name }: Measurement): string | undefined {
  const word = /(?:^|[-/])(tcp|udp)(?:[-/]|$)/.exec(name)?.[1];
  return word === undefined ? undefined : `PROTOCOL_${word.toUpperCase()}`;
}

function frameLabels(measurement: Measurement): Record<string, string | number | undefined> {
  const frame = protocolOf(measurement) === undefined ? 'ethernet' : undefined;
  return { frame, frame_size: measurement.frameBytes };
}

function meshConfig(run: Run, measurement: Measurement): Message {
  const { commit, versions } = run.environment;
  return {
    smp_version: smpVersion,
    id: meshId(run, measurement),
    labels: texts({ measurement: measurement.name, subject: measurement.subject }),
    sidecar: costOf(measurement),
    proxy_build: commit,
    mesh_type: { type: 'NETWORK_SERVICE_MESH', version: versions['crosswire'] ?? commit },
  };
}

/** The forwarder is entered where SMP expects the proxy of a workload. */
function costOf(measurement: Measurement): Message | undefined {
  const { figures, unit } = measurement;
  const cores = figures['CPU cores'];
  const resident = figures['RSS MiB'];
  if (cores === undefined && resident === undefined) return undefined;
  return {
    count: 1,
    cpu_mcores: cores === undefined ? undefined : int32(cores * 1000),
    mem_mb: resident === undefined ? undefined : int32(megabytes(resident)),
    rps: unit === 'frames/s' ? int32(mostSeen(measurement)) : undefined,
  };
}

/** The median of the most frequent machine state, to which the cost belongs too. */
function mostSeen(measurement: Measurement): number {
  const [first, ...others] = rowsOfMeasurement(measurement).map(({ summary }) => summary);
  const most = others.reduce((one, other) => (other.pairs > (one?.pairs ?? 0) ? other : one), first);
  return most?.subject.median ?? Number.NaN;
}

function environment(run: Run): Message {
  const { cpu, cpus, memoryMiB, kernel, node, commit, versions, machine } = run.environment;
  const versionLabels = Object.entries(versions).map(([program, version]) => [`version_${program}`, version]);
  return {
    smp_version: smpVersion,
    id: environmentId(run),
    labels: texts({
      kernel,
      node,
      commit,
      machine_state_before: machine?.before.state,
      machine_state_after: machine?.after.state,
      ...Object.fromEntries(versionLabels),
    }),
    nodes: [
      {
        type: cpu,
        cores: cpus,
        mem_mb: memoryMiB === undefined ? undefined : BigInt(Math.round(megabytes(memoryMiB))),
      },
    ],
  };
}

function testResult(run: Run, row: Row): Message {
  const { measurement, state } = row;
  const start = new Date(measurement.startedAt ?? run.startedAt);
  const end = new Date(start.getTime() + secondsOf(run, measurement) * 1000);
  return {
    smp_version: smpVersion,
    id: `${runId(run)}/result/${measurement.name}/${state}`,
    labels: texts({ ...resultLabels(row), ...latencyLabels(row), ...figureLabels(measurement) }),
    start_time: start.toISOString(),
    end_time: end.toISOString(),
    latencies_ms: latencyOf(row),
    actual_qps: measurement.unit === 'frames/s' ? row.summary.subject.median : undefined,
    details_uri: 'raw.json',
    test_id: testId(run, measurement),
    mesh_config_id: meshId(run, measurement),
    env_id: environmentId(run),
  };
}

const secondsOf = (run: Run, { seconds }: Measurement) => seconds ?? run.seconds;
const megabytes = (mebibytes: number) => mebibytes * 1.048576;

/** A value that does not fit is omitted, never wrapped. */
function int32(value: number): number | undefined {
  const whole = Math.round(value);
  return Math.abs(whole) <= largestInt32 ? whole : undefined;
}
