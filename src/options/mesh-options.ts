// SPDX-License-Identifier: Apache-2.0
// The options of `crosswire request`, `endpoint` and `manager` in one table. Their command lines, the variables read from the
// environment (named as in NSM's own programs) and a part of docs/options.md come from it.

import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CrosswireError } from '../model/error.ts';
import { parseNetwork } from '../wire/values/addresses.ts';
import type { IdentityOptions } from './nsm-option-rows.ts';
import { readIdentity, refusal } from './nsm-options.ts';
import { duration, flag, unixUrl } from './nsm-values.ts';
import { oneOf, type LogLevel, logLevels } from './run-options.ts';

export interface ProgramOptions extends IdentityOptions {
  readonly name: string;
  readonly maxTokenMilliseconds: number;
  readonly logLevel: LogLevel;
}

interface WorkloadOptions extends ProgramOptions {
  readonly service: string;
  readonly interfaceName: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly netns: string;
  readonly managerUrl: string;
}

export interface RequestOptions extends WorkloadOptions {
  readonly mechanism: 'KERNEL' | 'MEMIF';
  /** The token of a virtual function; '' for none. */
  readonly deviceToken: string;
  readonly livenessCheck: boolean;
  readonly livenessIntervalMilliseconds: number;
  readonly livenessTimeoutMilliseconds: number;
}

export interface EndpointOptions extends WorkloadOptions {
  /** NOOP: the endpoint has a device of its own and needs no interface. */
  readonly mechanism: 'KERNEL' | 'MEMIF' | 'NOOP';
  readonly cidr: string;
  readonly payload: 'IP' | 'ETHERNET';
  readonly listenUrl: string;
}

export interface ManagerOptions extends ProgramOptions {
  readonly listenUrl: string;
}

export type MeshVerb = 'request' | 'endpoint' | 'manager';
type Reading = { readonly value: unknown } | { readonly reason: string; readonly hint?: string };

export interface MeshOptionRow {
  readonly verbs: readonly MeshVerb[];
  readonly key: string;
  readonly flag: string;
  readonly argument: string;
  readonly repeatable?: true;
  readonly environment?: string;
  /** An option without a default must be given. */
  readonly default?: string;
  readonly defaultInWords?: string;
  readonly meaning: string;
  read(text: string): Reading;
}

const usualManager = 'unix:///var/lib/networkservicemesh/nsm.io.sock';
const workloads = ['request', 'endpoint'] as const;
const programs = [...workloads, 'manager'] as const;

export const meshOptionRows: readonly MeshOptionRow[] = [
  {
    verbs: workloads,
    key: 'netns',
    flag: '--netns',
    argument: 'PATH',
    meaning: 'network namespace of the interface or the memif socket; not needed for noop://',
    read: (text) => (text === '' ? { reason: 'is empty' } : { value: resolve(text) }),
  },
  {
    verbs: ['endpoint'],
    key: 'cidr',
    flag: '--cidr',
    argument: 'PREFIX',
    environment: 'NSM_CIDR_PREFIX',
    meaning: 'prefix from which each connection gets two addresses',
    read: cidr,
  },
  {
    verbs: ['endpoint'],
    key: 'payload',
    flag: '--payload',
    argument: 'PAYLOAD',
    environment: 'NSM_PAYLOAD',
    default: 'ip',
    meaning: "'ip' or 'ethernet', if the service is not registered yet",
    read: (text) => {
      const payload = oneOf(['ip', 'ethernet'] as const, text.toLowerCase());
      return 'value' in payload ? { value: payload.value.toUpperCase() } : payload;
    },
  },
  {
    verbs: workloads,
    key: 'labels',
    flag: '--label',
    argument: 'KEY=VALUE',
    repeatable: true,
    default: '',
    defaultInWords: 'none',
    meaning: 'label of the connection, or of the endpoint for its service; repeatable',
    read: labels,
  },
  {
    verbs: workloads,
    key: 'managerUrl',
    flag: '--manager',
    argument: 'URL',
    environment: 'NSM_CONNECT_TO',
    default: usualManager,
    meaning: 'unix socket of the manager (nsmgr)',
    read: unixUrl,
  },
  {
    verbs: ['manager'],
    key: 'listenUrl',
    flag: '--listen',
    argument: 'URL',
    environment: 'NSM_LISTEN_ON',
    default: usualManager,
    meaning: 'unix socket to listen on',
    read: unixUrl,
  },
  {
    verbs: ['endpoint'],
    key: 'listenUrl',
    flag: '--listen',
    argument: 'URL',
    environment: 'NSM_LISTEN_ON',
    default: '',
    defaultInWords: 'one in the temporary directory, named after the endpoint',
    meaning: 'unix socket to listen on; the manager gets it as a descriptor',
    read: (text) => (text === '' ? { value: text } : unixUrl(text)),
  },
  {
    verbs: programs,
    key: 'name',
    flag: '--name',
    argument: 'NAME',
    environment: 'NSM_NAME',
    default: '',
    defaultInWords: 'the verb and the process id',
    meaning: 'name in the paths of connections; a program that restarts under the same name keeps its connections',
    read: (text) =>
      /^[A-Za-z0-9._-]{0,200}$/.test(text)
        ? { value: text }
        : { reason: `'${text}' is no name`, hint: "letters, digits, '.', '_' and '-'" },
  },
  {
    verbs: programs,
    key: 'maxTokenMilliseconds',
    flag: '--token-lifetime',
    argument: 'DURATION',
    environment: 'NSM_MAX_TOKEN_LIFETIME',
    default: '10m',
    meaning: 'longest life of a token; a connection is refreshed after a fifth of it',
    read: duration,
  },
  {
    verbs: ['request'],
    key: 'livenessCheck',
    flag: '--liveness',
    argument: 'BOOLEAN',
    environment: 'NSM_LIVENESS_CHECK_ENABLED',
    default: 'false',
    meaning:
      'true: pings the other side over the connection, and requests the connection again, from any endpoint, when no ping is answered; needs ping (iputils) and nsenter',
    read: flag,
  },
  {
    verbs: ['request'],
    key: 'livenessIntervalMilliseconds',
    flag: '--liveness-interval',
    argument: 'DURATION',
    environment: 'NSM_LIVENESS_CHECK_INTERVAL',
    default: '200ms',
    meaning: 'interval between these pings',
    read: duration,
  },
  {
    verbs: ['request'],
    key: 'livenessTimeoutMilliseconds',
    flag: '--liveness-timeout',
    argument: 'DURATION',
    environment: 'NSM_LIVENESS_CHECK_TIMEOUT',
    default: '1s',
    meaning: 'how long pings may stay unanswered',
    read: duration,
  },
  {
    verbs: programs,
    key: 'logLevel',
    flag: '--log-level',
    argument: 'LEVEL',
    environment: 'CROSSWIRE_LOG_LEVEL',
    default: 'warn',
    meaning: `${logLevels.join(', ')}; JSON lines to standard error`,
    read: (text) => oneOf(logLevels, text),
  },
];

type Given = Readonly<Record<string, string | readonly string[] | undefined>>;
type Environment = Readonly<Record<string, string | undefined>>;

interface OptionsOf {
  request: RequestOptions;
  endpoint: EndpointOptions;
  manager: ManagerOptions;
}

/** `target`: the argument of the verb, if it has one. Throws an AggregateError of CrosswireErrors. */
export function readMeshOptions<V extends MeshVerb>(
  verb: V,
  target: string | undefined,
  given: Given,
  environment: Environment,
): OptionsOf[V] {
  const errors: CrosswireError[] = [];
  const options: Record<string, unknown> = {};
  const wanted = target === undefined ? {} : readTarget(verb, target, errors);
  const isNeeded = ({ key }: MeshOptionRow) => key !== 'netns' || wanted.mechanism !== 'NOOP';
  for (const row of meshOptionRows.filter((one) => one.verbs.includes(verb) && isNeeded(one))) {
    const { text, source } = textOf(row, given[row.key], environment);
    const reading = text === undefined ? { reason: 'is not given' } : row.read(text);
    if ('value' in reading) options[row.key] = reading.value;
    else errors.push(refusal(source, reading.reason, 'hint' in reading ? reading.hint : undefined));
  }
  const identity = readIdentity(environment, errors);
  const { labels: inTarget = {}, ...place } = wanted;
  const labels = { ...inTarget, ...(options['labels'] as object | undefined) };
  if (target !== undefined)
    Object.assign(options, verb === 'request' ? withToken(labels, environment, errors) : { labels });
  if (errors.length > 0) throw new AggregateError(errors, 'the options cannot be used');
  options['name'] ||= `${verb}-${process.pid}`;
  if (options['listenUrl'] === '') options['listenUrl'] = `unix://${join(tmpdir(), `${String(options['name'])}.sock`)}`;
  return Object.freeze({ ...options, ...identity, ...place }) as unknown as OptionsOf[V];
}

type Labels = Readonly<Record<string, string>>;

/** As in NSM's client, the label sriovToken names a resource; kubelet gave the pod tokens of the resource (sdk-sriov,
 *  pkg/networkservice/common/token/multitoken). */
function withToken({ sriovToken: resource, ...labels }: Labels, environment: Environment, errors: CrosswireError[]) {
  if (resource === undefined) return { labels, deviceToken: '' };
  const variable = `NSM_SRIOV_TOKENS_${resource}`;
  // The shell of bin/crosswire cannot export a name with '/', so it passes all tokens in one variable, RESOURCE=ID,ID in each line.
  const handedOn = (environment['CROSSWIRE_DEVICE_TOKENS'] ?? '').split('\n');
  const ids = environment[variable] ?? handedOn.find((line) => line.startsWith(`${resource}=`))?.split('=')[1];
  const [deviceToken = ''] = (ids ?? '').split(',');
  if (!deviceToken)
    errors.push(refusal(variable, 'is not set', `kubelet sets it in a pod that has a resource limit of ${resource}`));
  return { labels: { ...labels, serviceDomain: resource.replace(/\/.*/, '') }, deviceToken };
}

type Target = Pick<EndpointOptions, 'mechanism' | 'service' | 'interfaceName' | 'labels'>;

/** Parses kernel://service[@domain]/interface[?label=value], the form that NSM's pod annotation uses. */
function readTarget(verb: MeshVerb, text: string, errors: CrosswireError[]): Partial<Target> {
  const [, mechanism = '', service = '', interfaceName = '', query = ''] =
    /^(kernel|memif|noop):\/\/([^/?\s]+)(?:\/([^/?\s]+))?(?:\?(.*))?$/.exec(text) ?? [];
  const isNoop = mechanism === 'noop';
  // IFNAMSIZ in linux/if.h is 16: 15 bytes and the terminating zero.
  const isName = interfaceName !== '' && Buffer.byteLength(interfaceName) <= 15 && !['.', '..'].includes(interfaceName);
  if (mechanism && (isNoop ? verb === 'endpoint' && !interfaceName : isName))
    return {
      mechanism: mechanism.toUpperCase() as Target['mechanism'],
      service,
      interfaceName,
      labels: Object.fromEntries(new URLSearchParams(query)),
    };
  const noop = verb === 'endpoint' ? ', noop://service' : '';
  const hint = `like kernel://service/interface, memif://service/socket${noop}; the last part has at most 15 characters`;
  errors.push(refusal('the network service', `'${text}' is no URL of one`, hint));
  return {};
}

function textOf(
  { key, flag, environment: variable, default: usual }: MeshOptionRow,
  value: Given[string],
  from: Environment,
) {
  if (value !== undefined) return { text: typeof value === 'string' ? value : value.join('\n'), source: flag };
  const set = variable === undefined ? undefined : from[variable];
  if (variable && set) return { text: set, source: variable };
  return { text: usual, source: key === 'name' ? flag : variable ? `${flag} (${variable})` : flag };
}

function cidr(text: string): Reading {
  const network = parseNetwork(text);
  if (!network) return { reason: `'${text}' is no prefix`, hint: 'like 172.16.1.0/24 or fd00::/64' };
  const single = network.address.family === 4 ? 32 : 128;
  if (network.prefix === single) return { reason: `'${text}' has one address; a connection takes two` };
  return { value: network.text };
}

function labels(text: string): Reading {
  const pairs = text.split('\n').filter((one) => one !== '');
  const wrong = pairs.find((pair) => !/^[^=]+=/.test(pair));
  if (wrong !== undefined) return { reason: `'${wrong}' is not key=value` };
  return {
    value: Object.fromEntries(
      pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    ),
  };
}
