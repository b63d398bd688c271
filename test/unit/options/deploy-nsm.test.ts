// SPDX-License-Identifier: Apache-2.0
// The manifest for NSM: the forwarder reads all that it sets, and its parts are consistent.

import { readFileSync } from 'node:fs';
import test from 'ava';
import { parseDocument } from 'yaml';
import { nsmOptionRows } from '../../../src/options/nsm-option-rows.ts';
import { readNsmOptions } from '../../../src/options/nsm-options.ts';
import { withNsmNames } from '../../../src/options/nsm-run-options.ts';
import { readRunOptions } from '../../../src/options/read-options.ts';
import { runOptionRows } from '../../../src/options/run-options.ts';

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } };
}
interface Mount {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly?: boolean;
}
interface Probe {
  readonly exec: { readonly command: readonly string[] };
}
interface Container {
  readonly command: readonly string[];
  readonly env: readonly Variable[];
  readonly securityContext: object;
  readonly resources: { readonly limits: object; readonly requests: object };
  readonly volumeMounts: readonly Mount[];
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
  readonly startupProbe: Probe;
}
interface Volume {
  readonly name: string;
  readonly hostPath: { readonly path: string; readonly type?: string };
}
interface DaemonSet {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly selector: { readonly matchLabels: Record<string, string> };
    readonly template: {
      readonly metadata: { readonly labels: Record<string, string> };
      readonly spec: {
        readonly hostPID: boolean;
        readonly hostNetwork: boolean;
        readonly containers: readonly [Container];
        readonly volumes: readonly Volume[];
      };
    };
  };
}

const document = parseDocument(readFileSync('deploy/nsm/crosswire.yaml', 'utf8'), { uniqueKeys: true });
const manifest = document.toJS() as DaemonSet;
const { template, selector } = manifest.spec;
const { containers, volumes, ...pod } = template.spec;
const [container] = containers;

/** The values that Kubernetes inserts for fields of the pod. */
const fields: Readonly<Record<string, string>> = {
  'metadata.name': 'forwarder-crosswire-x7k2p',
  'status.podIP': '192.0.2.11',
  'spec.nodeName': 'node-1',
};
const environment = Object.fromEntries(
  container.env.map(({ name, value, valueFrom }) => [name, value ?? fields[valueFrom?.fieldRef.fieldPath ?? '']]),
);

test('it is YAML of a DaemonSet whose selector finds its own pods', (t) => {
  t.deepEqual([document.errors, document.warnings], [[], []]);
  t.like(manifest, { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { namespace: 'nsm-system' } });
  t.like(template.metadata.labels, { ...selector.matchLabels, 'spiffe.io/spiffe-id': 'true' });
  t.like(pod, { hostPID: true, hostNetwork: true });
  t.deepEqual(container.securityContext, { privileged: true });
  t.deepEqual(container.command, ['crosswire', 'run']);
});

test('every variable has a value, is read, and is good', (t) => {
  const read = [...nsmOptionRows, ...runOptionRows].map((row) => row.environment).concat('NSM_LOG_LEVEL');
  for (const [name, value] of Object.entries(environment)) {
    t.true(read.includes(name), `${name} is read`);
    t.truthy(value, `${name} has a value`);
  }
  const { options, warnings } = readNsmOptions(environment);
  t.deepEqual(warnings, []);
  t.like(options, { name: fields['metadata.name'], tunnelAddress: fields['status.podIP'], labels: { p2p: 'true' } });
  t.like(readRunOptions({}, withNsmNames(environment)), { node: 'node-1', logLevel: 'info' });
});

test('the probes ask where the forwarder listens', (t) => {
  const command = ['/bin/grpc-health-probe', '-spiffe', `-addr=${environment['NSM_LISTEN_ON']}`];
  for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe'] as const)
    t.deepEqual(container[probe].exec.command, command, probe);
});

test('mounts and volumes belong to each other; sockets and the record of wires are those of the host', (t) => {
  const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name).toSorted();
  t.deepEqual(names(container.volumeMounts), names(volumes));
  for (const { name, mountPath } of container.volumeMounts)
    t.is(volumes.find((volume) => volume.name === name)?.hostPath.path, mountPath);
  const isMounted = (path: string) => container.volumeMounts.some(({ mountPath }) => path.startsWith(`${mountPath}/`));
  for (const variable of ['SPIFFE_ENDPOINT_SOCKET', 'NSM_CONNECT_TO'])
    t.true(isMounted((environment[variable] ?? '').replace('unix://', '')), variable);
  t.true(isMounted(`${readRunOptions({}, withNsmNames(environment)).stateDirectory}/wires`));
});

test('no CPU limit: it would stop the forwarding threads', (t) => {
  t.deepEqual(Object.keys(container.resources.limits), ['memory']);
});

test('the patch for SR-IOV fits it: what it mounts is where the forwarder looks', (t) => {
  const patch = parseDocument(readFileSync('deploy/nsm/sriov.yaml', 'utf8'), { uniqueKeys: true }).toJS() as DaemonSet;
  const {
    containers: [added],
    volumes: more,
  } = patch.spec.template.spec;
  t.is((added as Container & { name: string }).name, 'forwarder-crosswire');
  const all = { ...environment, ...Object.fromEntries(added.env.map(({ name, value }) => [name, value])) };
  const { options, warnings } = readNsmOptions(all);
  t.deepEqual(warnings, []);
  const { vfioDirectory, sriovConfigFile } = readRunOptions({}, withNsmNames(all));
  const paths = [...container.volumeMounts, ...added.volumeMounts].map(({ mountPath }) => mountPath);
  const used = [options?.devicePluginDirectory, options?.podResourcesDirectory, options?.controlGroupDirectory];
  for (const path of [...used, vfioDirectory, sriovConfigFile])
    t.true(
      paths.some((mounted) => path === mounted || path?.startsWith(`${mounted}/`)),
      path,
    );
  t.deepEqual(
    added.volumeMounts.map(({ name }) => name),
    more.map(({ name }) => name),
  );
});
