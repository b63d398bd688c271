// SPDX-License-Identifier: Apache-2.0
// Variables of NSM's own forwarder that are aliases of options of `crosswire run`.

/** If this variable is set, `crosswire run` joins the mesh as a forwarder. */
export const managerVariable = 'NSM_CONNECT_TO';

/** `read` converts a value of the variable to a value of the option. */
export const runOptionNames: readonly {
  readonly environment: string;
  readonly option: string;
  /** Only read with PROMETHEUS=true, as in NSM's own forwarder. */
  readonly withPrometheus?: true;
  /** The default in a mesh, if it differs from that of `crosswire run`. */
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

/** The options given by NSM's variables, except those that Crosswire's own variables set. */
function saidByNsm(environment: Environment): Said[] {
  if (!environment[managerVariable]) return [];
  const prometheus = isTrue(environment['PROMETHEUS']);
  return runOptionNames.flatMap(({ environment: variable, option, withPrometheus, default: usual, read }) => {
    const value = environment[variable] || usual;
    if (!value || environment[option] || (withPrometheus && !prometheus)) return [];
    return { environment: variable, option, value: read(value) };
  });
}

/** The environment of `crosswire run`, with NSM's variables translated to Crosswire's own. */
export function withNsmNames(environment: Environment): Environment {
  const added = saidByNsm(environment).map(({ option, value }) => [option, value]);
  return { ...environment, ...Object.fromEntries(added) };
}

/** For each option that an NSM variable sets: Crosswire's variable → NSM's variable, for error messages. */
export function nsmNamesUsed(environment: Environment): Readonly<Record<string, string>> {
  return Object.fromEntries(saidByNsm(environment).map(({ option, environment: variable }) => [option, variable]));
}

export function isTrue(value: string | undefined): boolean {
  return /^(true|1|t)$/i.test(value ?? '');
}

/** The path of the SR-IOV file for programs other than the daemon, like doctor; '' if there is none. */
export function sriovFileOf(environment: Environment): string {
  return withNsmNames(environment)['CROSSWIRE_SRIOV_CONFIG_FILE'] ?? '';
}
