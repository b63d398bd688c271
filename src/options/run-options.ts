// SPDX-License-Identifier: Apache-2.0
// The options of `crosswire run` in one table: the command line, the environment variables and docs/options.md come from it.
// The command line wins over the environment, and the environment over the default.

import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { parseCpuList } from '../model/cpu-list.ts';
import { type ListenAddress, parseListenAddress } from './listen-address.ts';
import { nearest } from '../model/nearest.ts';

export interface RunOptions {
  readonly stateDirectory: string;
  readonly control: string;
  readonly metrics: ListenAddress | null;
  readonly metricsCompat: 'none' | 'nsm' | 'nsm2019';
  readonly metricsCompatPrefix: string; // without the '_' that follows it
  readonly wires: readonly string[];
  readonly sriovConfigFile: string; // '': none
  readonly vfioDirectory: string;
  readonly node: string;
  readonly workers: number;
  readonly workerCpus: readonly number[]; // ascending; empty: not pinned
  readonly busyPoll: boolean;
  readonly removeOnExit: boolean;
  readonly resyncSeconds: number;
  readonly logLevel: LogLevel;
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof logLevels)[number];

/** The value, or why the text is invalid. */
type Reading<T> = { readonly value: T } | { readonly reason: string; readonly hint?: string };

export interface OptionRow<Key extends keyof RunOptions = keyof RunOptions> {
  readonly key: Key;
  readonly flag: string; // --state-dir
  readonly argument?: string; // DIRECTORY; absent: a switch
  readonly repeatable?: boolean;
  readonly environment: string;
  readonly default: string;
  readonly defaultInWords?: string;
  readonly meaning: string;
  read(text: string): Reading<RunOptions[Key]>;
}

const row = <Key extends keyof RunOptions>(options: OptionRow<Key>): OptionRow => options as unknown as OptionRow;

const defaultStateDirectory = '/var/lib/crosswire';
const mostWorkers = 64;
export const defaultControl = '/run/crosswire/control.sock';

export const runOptionRows: readonly OptionRow[] = [
  row({
    key: 'stateDirectory',
    flag: '--state-dir',
    argument: 'DIRECTORY',
    environment: 'CROSSWIRE_STATE_DIR',
    default: defaultStateDirectory,
    meaning: 'directory of the journal of all wires; each daemon needs its own',
    read: absolute,
  }),
  row({
    key: 'control',
    flag: '--control',
    argument: 'SOCKET',
    environment: 'CROSSWIRE_CONTROL',
    default: defaultControl,
    meaning: 'unix socket of the control API (mode 0600)',
    read: readControl,
  }),
  row({
    key: 'metrics',
    flag: '--metrics',
    argument: 'ADDRESS',
    environment: 'CROSSWIRE_METRICS',
    default: '127.0.0.1:9750',
    meaning: "host:port of /metrics, /healthz and /readyz, or 'off'",
    read: (text) => {
      const value = text === 'off' ? null : parseListenAddress(text);
      if (value !== undefined) return { value };
      return { reason: `'${text}' is no address`, hint: "like 127.0.0.1:9750, [::1]:9750, :9750, or 'off'" };
    },
  }),
  row({
    key: 'metricsCompat',
    flag: '--metrics-compat',
    argument: 'NAME',
    environment: 'CROSSWIRE_METRICS_COMPAT',
    default: 'none',
    meaning:
      "'nsm' adds the ten counters client_rx_bytes_total … of NSM's own forwarder, 'nsm2019' the six gauges rx_bytes … tx_error_packets of the first NSM and SMI integration",
    read: (text) => oneOf(['none', 'nsm', 'nsm2019'] as const, text),
  }),
  row({
    key: 'metricsCompatPrefix',
    flag: '--metrics-compat-prefix',
    argument: 'WORD',
    environment: 'CROSSWIRE_METRICS_COMPAT_PREFIX',
    default: '',
    defaultInWords: 'none',
    meaning: "prefix of the names that 'nsm' adds, separated by '_'",
    read: (text) =>
      text === '' || /^[A-Za-z_:][A-Za-z0-9_:]*$/.test(text)
        ? { value: text }
        : { reason: `'${text}' cannot begin the name of a metric`, hint: "letters, digits and '_'" },
  }),
  row({
    key: 'wires',
    flag: '--wires',
    argument: 'FILE',
    repeatable: true,
    environment: 'CROSSWIRE_WIRES',
    default: '',
    defaultInWords: 'none',
    meaning: 'wire file to apply at the start; repeatable, separated by colons in the environment',
    read: (text) => ({ value: text.split(':').filter((file) => file !== '') }),
  }),
  row({
    key: 'sriovConfigFile',
    flag: '--sriov-config-file',
    argument: 'FILE',
    environment: 'CROSSWIRE_SRIOV_CONFIG_FILE',
    default: '',
    defaultInWords: 'none',
    meaning: 'the NICs that lend virtual functions, in the format of NSM; without it, wires name them by address only',
    read: (text) => ({ value: text }),
  }),
  row({
    key: 'vfioDirectory',
    flag: '--vfio-directory',
    argument: 'DIRECTORY',
    environment: 'CROSSWIRE_VFIO_DIRECTORY',
    default: '/dev/vfio',
    meaning: "directory of the VFIO device nodes; in a container, where the host's /dev/vfio is mounted",
    read: (text) => (text.startsWith('/') ? { value: text } : { reason: `'${text}' is no absolute path` }),
  }),
  row({
    key: 'node',
    flag: '--node',
    argument: 'NAME',
    environment: 'CROSSWIRE_NODE',
    default: '',
    defaultInWords: 'the host name, and a digest of --state-dir if that is not the default',
    meaning: 'name of this forwarder in ownership marks; must differ between the daemons of a machine',
    read: readNode,
  }),
  row({
    key: 'workers',
    flag: '--workers',
    argument: 'COUNT',
    environment: 'CROSSWIRE_WORKERS',
    default: '',
    defaultInWords: '1, or one for each of --worker-cpus',
    meaning: `number of threads that move frames, 1 to ${mostWorkers}; a new wire goes to the worker with the fewest wires`,
    read: (text) => (text === '' ? { value: 0 } : wholeNumber(text, 1, mostWorkers)), // 0: replaced by defaultWorkers()
  }),
  row({
    key: 'workerCpus',
    flag: '--worker-cpus',
    argument: 'LIST',
    environment: 'CROSSWIRE_WORKER_CPUS',
    default: '',
    defaultInWords: 'any',
    meaning: 'CPUs of the workers, like 2-5,8: the first worker is pinned to the first CPU, and so on',
    read: readCpus,
  }),
  row({
    key: 'busyPoll',
    flag: '--busy-poll',
    environment: 'CROSSWIRE_BUSY_POLL',
    default: 'false',
    meaning:
      'workers with wires never sleep: the first frame after a pause is as fast as the others, at the cost of a whole CPU each',
    read: readSwitch,
  }),
  row({
    key: 'removeOnExit',
    flag: '--remove-on-exit',
    environment: 'CROSSWIRE_REMOVE_ON_EXIT',
    default: 'false',
    meaning: 'remove all wires when stopped; otherwise kernel wires go on carrying frames',
    read: readSwitch,
  }),
  row({
    key: 'resyncSeconds',
    flag: '--resync-seconds',
    argument: 'SECONDS',
    environment: 'CROSSWIRE_RESYNC_SECONDS',
    default: '30',
    meaning: 'interval at which all wires are compared with the kernel and repaired; 1 to 86400',
    read: (text) => wholeNumber(text, 1, 86_400),
  }),
  row({
    key: 'logLevel',
    flag: '--log-level',
    argument: 'LEVEL',
    environment: 'CROSSWIRE_LOG_LEVEL',
    default: 'info',
    meaning: `${logLevels.join(', ')}; JSON lines to standard error`,
    read: (text) => oneOf(logLevels, text),
  }),
];

function absolute(text: string): Reading<string> {
  if (text.startsWith('/')) return { value: text };
  return text === '' ? { reason: 'is empty' } : { value: resolve(text) };
}

export function readControl(text: string): Reading<string> {
  const path = absolute(text);
  if (!('value' in path)) return path;
  const length = Buffer.byteLength(path.value);
  // unix(7): sun_path
  return length <= 107
    ? path
    : { reason: `the path has ${length} bytes; the kernel takes at most 107`, hint: 'use a shorter directory' };
}

function readNode(text: string): Reading<string> {
  if (text === '') return { value: text }; // replaced by defaultNode()
  if (/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(text)) return { value: text };
  return { reason: `'${text}' is no node name`, hint: "at most 63 of letters, digits, '-', '_' and '.'" };
}

/** Daemons on one machine have different state directories; with a digest of it in the name, their marks differ by default. */
export function defaultNode(stateDirectory: string): string {
  const host =
    hostname()
      .replace(/[^A-Za-z0-9-]/g, '-')
      .replace(/^-+/, '')
      .slice(0, 48) || 'node';
  if (resolve(stateDirectory) === defaultStateDirectory) return host.replace(/-+$/, '');
  return `${host}-${createHash('sha256').update(resolve(stateDirectory)).digest('hex').slice(0, 8)}`;
}

function readCpus(text: string): Reading<readonly number[]> {
  const value = text === '' ? [] : parseCpuList(text);
  return value ? { value } : { reason: `'${text}' is no list of CPUs`, hint: 'like 2-5,8; the largest is 1023' };
}

/** One worker for each CPU that is named. */
export function defaultWorkers(cpus: readonly number[]): number {
  return Math.min(Math.max(cpus.length, 1), mostWorkers);
}

function wholeNumber(text: string, least: number, most: number): Reading<number> {
  const value = Number(text);
  if (/^\d{1,9}$/.test(text) && value >= least && value <= most) return { value };
  return { reason: `'${text}' is no whole number from ${least} to ${most}` };
}

function readSwitch(text: string): Reading<boolean> {
  if (text === 'true' || text === '1') return { value: true };
  if (text === 'false' || text === '0' || text === '') return { value: false };
  return { reason: `'${text}' is neither true nor false` };
}

export function oneOf<T extends string>(allowed: readonly T[], text: string): Reading<T> {
  const value = allowed.find((word) => word === text);
  if (value !== undefined) return { value };
  const meant = nearest(text, allowed);
  return {
    reason: `'${text}' is none of ${allowed.join(', ')}`,
    ...(meant ? { hint: `did you mean '${meant}'?` } : {}),
  };
}
