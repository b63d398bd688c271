// SPDX-License-Identifier: Apache-2.0
// Variables of NSM's forwarders that are other names for options of `crosswire run`.

/** Its presence makes `crosswire run` a forwarder of NSM. */
export const managerVariable = 'NSM_CONNECT_TO';

/** `read` turns their words into that option's. */
export const runOptionNames: readonly {
  readonly environment: string;
  readonly option: string;
  /** NSM's forwarders read it only with PROMETHEUS=true. */
  readonly withPrometheus?: true;
  /** Where nothing is said. */
  readonly default?: string;
  readonly read: (text: string) => string;
}[] = [
  {
    environment: 'NSM_LOG_LEVEL',
    option: 'CROSSWIRE_LOG_LEVEL',
    read: (value) =>
      value
        .toLowerCase()
        .replace(/^warning$/, 'warn')
        .replace(/^panic$/, 'fatal'),
  },
  { environment: 'NSM_SRIOV_CONFIG_FILE', option: 'CROSSWIRE_SRIOV_CONFIG_FILE', read: (value) => value },
  {
    environment: 'NSM_VFIO_PATH',
    option: 'CROSSWIRE_VFIO_DIRECTORY',
    default: '/host/dev/vfio',
    read: (value) => value,
  },
  { environment: 'PROMETHEUS', option: 'CROSSWIRE_METRICS_COMPAT', withPrometheus: true, read: () => 'nsm' },
  {
    environment: 'PROMETHEUS_METRICS_PREFIX',
    option: 'CROSSWIRE_METRICS_COMPAT_PREFIX',
    withPrometheus: true,
    read: (value) => value,
  },
  {
    environment: 'NSM_PROMETHEUS_LISTEN_ON',
    option: 'CROSSWIRE_METRICS',
    withPrometheus: true,
    default: ':8081',
    read: (value) => value,
  },
];

type Environment = Readonly<Record<string, string | undefined>>;

interface Said {
  readonly environment: string;
  readonly option: string;
  readonly value: string;
}

/** What NSM's names say where Crosswire's own are silent. */
function saidByNsm(environment: Environment): Said[] {
  if (!environment[managerVariable]) return [];
  const prometheus = isTrue(environment['PROMETHEUS']);
  return runOptionNames.flatMap(({ environment: variable, option, withPrometheus, default: usual, read }) => {
    const value = environment[variable] || usual;
    if (!value || environment[option] || (withPrometheus && !prometheus)) return [];
    return { environment: variable, option, value: read(value) };
  });
}

/** The environment of `crosswire run`, with that. */
export function withNsmNames(environment: Environment): Environment {
  const added = saidByNsm(environment).map(({ option, value }) => [option, value]);
  return { ...environment, ...Object.fromEntries(added) };
}

/** Of the options that NSM's names say: the variable that was set. */
export function nsmNamesUsed(environment: Environment): Readonly<Record<string, string>> {
  return Object.fromEntries(saidByNsm(environment).map(({ option, environment: variable }) => [option, variable]));
}

export function isTrue(value: string | undefined): boolean {
  return /^(true|1|t)$/i.test(value ?? '');
}

/** The SR-IOV file of whoever asks without being the daemon; '': none. */
export function sriovFileOf(environment: Environment): string {
  return withNsmNames(environment)['CROSSWIRE_SRIOV_CONFIG_FILE'] ?? '';
}
