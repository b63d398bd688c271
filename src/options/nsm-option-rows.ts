// SPDX-License-Identifier: Apache-2.0
// The environment variables of NSM's own forwarder (networkservicemesh/cmd-forwarder-vpp, internal/config), so that Crosswire
// can replace it with the same manifest. The variables are read, and docs/options.md is generated, from this table.

import { isIP } from 'node:net';
import type { RegistryPolicy } from '../model/registry-policy.ts';
import { mechanisms, mechanismTypes } from '../wire/mechanisms/index.ts';
import { managerVariable } from './nsm-run-options.ts';
import { anyText, directory, duration, flag, list, map, policies, type Reading, text, url } from './nsm-values.ts';
import { usualRegistryPolicies } from './registry-policies.ts';

/** Where the SPIFFE identity comes from: the Workload API, or files. */
export interface IdentityOptions {
  readonly workloadApi: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly bundleFile: string;
}

export interface NsmOptions extends IdentityOptions {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly managerUrl: string;
  readonly listenUrl: string;
  readonly maxTokenMilliseconds: number;
  readonly dialMilliseconds: number;
  readonly tunnelAddress: string; // '': the address of the default route's interface
  /** UDP ports of tunnels, by the type of their mechanism. */
  readonly tunnelPorts: Readonly<Record<string, number>>;
  readonly deviceSelectorFile: string; // '': none
  readonly mechanismPriority: readonly string[];
  readonly memifViaEngine: boolean;
  readonly devicePluginDirectory: string;
  readonly podResourcesDirectory: string;
  readonly resourcePollMilliseconds: number;
  readonly controlGroupDirectory: string;
  /** The policies for the registry's answer to our registration. */
  readonly registryPolicies: readonly RegistryPolicy[];
  readonly telemetry: boolean;
  readonly telemetryEndpoint: string;
}

export interface NsmOptionRow<Key extends keyof NsmOptions = keyof NsmOptions> {
  readonly key: Key;
  readonly environment: string;
  readonly default: string;
  readonly defaultInWords?: string;
  readonly meaning: string;
  read(text: string): Reading<NsmOptions[Key]>;
}

const row = <Key extends keyof NsmOptions>(options: NsmOptionRow<Key>): NsmOptionRow =>
  options as unknown as NsmOptionRow;

/** One for each tunnel; all of them make up the option. */
const tunnelPortRows = mechanismTypes.flatMap((type) => {
  const { reach } = mechanisms[type];
  if (reach.at !== 'tunnel') return [];
  const { environment, default: usual, zeroIsDefault, meaning } = reach.portOption;
  const shown = zeroIsDefault ? { default: '0', defaultInWords: String(usual) } : { default: String(usual) };
  const read = (text: string): Reading<NsmOptions['tunnelPorts']> => {
    const port = /^\d{1,5}$/.test(text) ? Number(text) || (zeroIsDefault ? usual : 0) : 0;
    return port >= 1 && port <= 65_535 ? { value: { [type]: port } } : { reason: `'${text}' is no UDP port` };
  };
  return [row({ key: 'tunnelPorts', environment, ...shown, meaning, read })];
});

export const nsmOptionRows: readonly NsmOptionRow[] = [
  row({
    key: 'managerUrl',
    environment: managerVariable,
    default: '',
    defaultInWords: 'none: no mesh',
    meaning: 'the manager (nsmgr): `unix:///path` or `tcp://host:port`',
    read: url,
  }),
  row({
    key: 'listenUrl',
    environment: 'NSM_LISTEN_ON',
    default: 'unix:///listen.on.socket',
    meaning:
      'where to listen for the mesh; a unix socket is passed to the manager as a descriptor, so its path may be private',
    read: url,
  }),
  row({
    key: 'name',
    environment: 'NSM_NAME',
    default: 'forwarder',
    meaning: 'name of the forwarder, its endpoint and its path segments: the pod name',
    read: text,
  }),
  row({
    key: 'labels',
    environment: 'NSM_LABELS',
    default: 'p2p:true',
    meaning: 'labels of the registration, as key:value,key:value; managers look for p2p:true',
    read: map,
  }),
  row({
    key: 'serviceName',
    environment: 'NSM_NSNAME',
    default: 'forwarder',
    meaning: 'the service under which managers find forwarders',
    read: text,
  }),
  row({
    key: 'maxTokenMilliseconds',
    environment: 'NSM_MAX_TOKEN_LIFETIME',
    default: '10m',
    meaning: 'longest life of a token, and so of a connection that nobody refreshes',
    read: duration,
  }),
  row({
    key: 'dialMilliseconds',
    environment: 'NSM_DIAL_TIMEOUT',
    default: '750ms',
    meaning: 'time limit for connecting to the manager or a next hop',
    read: duration,
  }),
  row({
    key: 'tunnelAddress',
    environment: 'NSM_TUNNEL_IP',
    default: '',
    defaultInWords: 'the first address of the interface of the default route',
    meaning: 'local address of tunnels',
    read: (value) => (value === '' || isIP(value) ? { value } : { reason: `'${value}' is no IP address` }),
  }),
  ...tunnelPortRows,
  row({
    key: 'mechanismPriority',
    environment: 'NSM_MECHANISM_PRIORITY',
    default: '',
    defaultInWords: 'MEMIF, KERNEL',
    meaning: 'mechanism types to offer first, in this order, separated by commas',
    read: (value) => ({ value: list(value) }),
  }),
  row({
    key: 'memifViaEngine',
    environment: 'CROSSWIRE_MEMIF_VIA_ENGINE',
    default: 'false',
    meaning:
      'memif at both ends: true passes frames through the engine, where they are counted; otherwise the two applications share memory',
    read: flag,
  }),
  row({
    key: 'devicePluginDirectory',
    environment: 'NSM_DEVICE_PLUGIN_PATH',
    default: '/var/lib/kubelet/device-plugins',
    meaning: "directory of kubelet's socket for device plugins, and of ours; used with an SR-IOV file",
    read: directory,
  }),
  row({
    key: 'podResourcesDirectory',
    environment: 'NSM_POD_RESOURCES_PATH',
    default: '/var/lib/kubelet/pod-resources',
    meaning: "directory of kubelet's PodResources socket; used with an SR-IOV file",
    read: directory,
  }),
  row({
    key: 'resourcePollMilliseconds',
    environment: 'NSM_RESOURCE_POLL_TIMEOUT',
    default: '30s',
    meaning: 'how often kubelet is asked; a device is free when kubelet has not listed it for twice as long',
    read: duration,
  }),
  row({
    key: 'controlGroupDirectory',
    environment: 'NSM_CGROUP_PATH',
    default: '/host/sys/fs/cgroup/devices',
    meaning: 'where the control groups that clients of VFIO name are mounted (v1: those of the devices controller)',
    read: directory,
  }),
  row({
    key: 'deviceSelectorFile',
    environment: 'NSM_DEVICE_SELECTOR_FILE',
    default: '',
    defaultInWords: 'none: VLAN is not offered',
    meaning: 'YAML file that says which host device leads to which gateway, for endpoints that answer VLAN',
    read: anyText,
  }),
  row({
    key: 'registryPolicies',
    environment: 'NSM_REGISTRY_CLIENT_POLICIES',
    default: usualRegistryPolicies,
    meaning:
      "policies that the manager's answer to the registration must pass: names of NSM's Rego files, or expressions",
    read: policies,
  }),
  row({
    key: 'workloadApi',
    environment: 'SPIFFE_ENDPOINT_SOCKET',
    default: '',
    defaultInWords: 'none: the files below',
    meaning: 'the SPIFFE Workload API, which issues and renews the identity: `unix:///path`',
    read: anyText,
  }),
  row({
    key: 'certificateFile',
    environment: 'CROSSWIRE_TLS_CERTIFICATE',
    default: '',
    defaultInWords: 'none',
    meaning: 'PEM file of the X.509 SVID and its intermediates, read again when it changes',
    read: anyText,
  }),
  row({
    key: 'keyFile',
    environment: 'CROSSWIRE_TLS_KEY',
    default: '',
    defaultInWords: 'none',
    meaning: "PEM file of the SVID's private key (EC P-256)",
    read: anyText,
  }),
  row({
    key: 'bundleFile',
    environment: 'CROSSWIRE_TLS_BUNDLE',
    default: '',
    defaultInWords: 'none',
    meaning: "PEM file of the trust domain's certificate authorities",
    read: anyText,
  }),
  row({
    key: 'telemetry',
    environment: 'TELEMETRY',
    default: 'false',
    meaning: 'true: export traces by OTLP',
    read: flag,
  }),
  row({
    key: 'telemetryEndpoint',
    environment: 'NSM_OPEN_TELEMETRY_ENDPOINT',
    default: 'otel-collector.observability.svc.cluster.local:4317',
    meaning: 'collector of traces: host:port, without TLS',
    read: text,
  }),
];

/** Variables that ask for something Crosswire does not do. With `PROMETHEUS=true` the daemon warns about those that are set. */
export const notDone: Readonly<Record<string, string>> = {
  NSM_PROMETHEUS_CERT_FILE: 'metrics are served without TLS',
  NSM_PROMETHEUS_CA_FILE: 'clients of the metrics need no certificate',
};

/** Variables of cmd-forwarder-vpp that have no effect here: they are about things that Crosswire does not have. Accepted
 *  without a warning. */
export const withoutEffect: readonly string[] = [
  'NSM_METRICS_EXPORT_INTERVAL',
  'NSM_PPROF_ENABLED',
  'NSM_PPROF_LISTEN_ON',
  'NSM_PROMETHEUS_CA_FILE',
  'NSM_PROMETHEUS_KEY_FILE',
  'NSM_PROMETHEUS_CERT_FILE',
  'NSM_PROMETHEUS_MONITOR_CERTIFICATE',
  'NSM_PROMETHEUS_SERVER_HEADER_TIMEOUT',
  'NSM_PROMETHEUS_MAX_BIND_THRESHOLD',
  'NSM_VPP_API_SOCKET',
  'NSM_VPP_INIT',
  'NSM_VPP_INIT_PARAMS',
  'NSM_VPP_MIN_OPERATION_TIMEOUT',
  'NSM_PCI_DEVICES_PATH',
  'NSM_PCI_DRIVERS_PATH',
];
