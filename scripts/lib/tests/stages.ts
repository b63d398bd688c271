// SPDX-License-Identifier: Apache-2.0
// The table of stages, in the order in which they start where they can. docs/decisions/018-test-tiers.md says why it is so.

import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import type { Kind, Stage, Tier } from './stage.ts';

const fuzzSeconds = process.env['FUZZ_SECONDS'] ?? '30';
const always: readonly Tier[] = ['quick', 'standard', 'all'];
const withRoot: readonly Tier[] = ['standard', 'all'];
/** The scenarios of test/nsm that need devices of the lab's kernel (scripts/lib/lab/files). */
const inLab = ['test/nsm/remote-vlan.test.ts', 'test/nsm/two-nodes-wireguard.test.ts'];

/** One scenario of each kind, for the standard tier: titles, as ava matches them. */
const meshSample = [
  'a: registered with p2p=true*',
  'b: payload IP: *',
  'c: three clients on one endpoint',
  'd: payload IP: *',
  'e: ETHERNET over VXLAN between IPv4 nodes, the client at the lower address',
  'e: a memif client at the lower address*',
  'f: the forwarder is killed and returns under the same name, payload IP',
  'g: payload IP: *',
  'h: broken tokens*',
  'grpc-health-probe -spiffe finds the forwarder*',
  'crosswire request, and an endpoint of NSM',
];

const build = (variant: string) => ['nice', 'scripts/native', variant];
const serially = (...files: string[]) => ['ava', '--concurrency=1', ...files];
/** Scenarios mostly wait, and each builds a mesh of its own: two files run beside each other. */
const mesh = ['ava', '--concurrency=2', 'test/nsm/**/*.test.ts', ...inLab.map((file) => `!${file}`)];

function stage(part: string, name: string, title: string, kind: Kind, tiers: readonly Tier[], rest: Rest): Stage {
  return { part, name, title, kind, tiers, after: [], limitMinutes: 35, ...rest };
}
type Rest = Pick<Stage, 'command'> & Partial<Pick<Stage, 'after' | 'environment' | 'limitMinutes' | 'unavailable'>>;

export const stages: readonly Stage[] = [
  stage('build', 'build', 'build', 'computes', withRoot, { command: ['scripts/build'] }),
  // Go from an empty cache takes minutes; where Go cannot have NSM's programs, the script has said why.
  stage('mesh', 'mesh-peers', 'build the programs of NSM', 'waits', withRoot, {
    command: ['scripts/nsm-peers'],
    unavailable: 3,
  }),
  stage('lab', 'lab-setup', 'make the parts of the lab', 'waits', ['all'], {
    command: ['nice', 'scripts/lab', 'setup'],
  }),
  stage('system', 'tools', 'build the tools of the system tests', 'computes', withRoot, { command: build('tools') }),
  // DPDK's testpmd has one CPU for itself in most of these, so they run one at a time.
  stage('system', 'memif', 'memif tests', 'waits', withRoot, {
    command: serially('test/memif/**/*.test.ts'),
    after: ['build', 'tools'],
  }),
  stage('system', 'system', 'system tests', 'waits', withRoot, {
    command: serially('test/{netns,system}/**/*.test.ts'),
    after: ['build', 'tools'],
  }),
  stage('check', 'check', 'checks', 'computes', always, { command: ['scripts/check'], after: ['build'] }),
  stage('unit', 'unit', 'unit tests', 'computes', ['quick', 'standard'], {
    command: ['ava', 'test/unit/**/*.test.ts'],
    after: ['build'],
  }),
  stage('unit', 'unit-coverage', 'unit tests, with coverage', 'computes', ['all'], {
    command: ['c8', '--config', '.c8rc.json', 'ava', 'test/unit/**/*.test.ts'],
    after: ['build'],
  }),
  ...sanitized('plain', 'native tests', always),
  ...sanitized('asan', 'native tests (ASan, UBSan)', withRoot),
  stage('mesh', 'mesh-sample', 'mesh, one scenario of each kind', 'waits', ['standard'], {
    command: [...mesh, ...meshSample.map((one) => `--match=${one}`)],
    environment: { CROSSWIRE_NSM_PING_SECONDS: '5' },
    after: ['build', 'mesh-peers'],
  }),
  stage('mesh', 'mesh', 'mesh', 'waits', ['all'], {
    command: mesh,
    after: ['build', 'mesh-peers'],
  }),
  ...sanitized('tsan', 'native tests (TSan)', ['all']),
  stage('fuzz', 'build-fuzz', 'build the fuzzers', 'computes', ['all'], { command: build('fuzz') }),
  ...readdirSync('test/native/fuzz').map((file) => fuzzer(basename(file, '.cpp'))),
  // Two guests, emulated where there is no KVM, would starve whatever ran beside them.
  stage('lab', 'lab', 'lab', 'alone', ['all'], { command: ['scripts/lab', 'test'], after: ['build', 'lab-setup'] }),
  stage('package', 'prebuild', 'build the addons of the package', 'computes', [], {
    command: ['nice', 'scripts/prebuild', `linux-${process.arch}`],
    after: ['build'],
  }),
  stage('package', 'package', 'install the package, and make the files of a release', 'waits', [], {
    command: serially('test/package/**/*.test.ts'),
    after: ['build', 'prebuild'],
  }),
  stage('kubelet', 'get-kubelet', 'get kubelet', 'waits', [], { command: ['scripts/kubelet'] }),
  stage('kubelet', 'kubelet', 'device plugin under kubelet', 'waits', [], {
    command: serially('test/kubelet/**/*.test.ts'),
    after: ['get-kubelet'],
  }),
];

function sanitized(variant: string, title: string, tiers: readonly Tier[]): Stage[] {
  const part = variant === 'plain' ? 'native' : variant;
  return [
    stage(part, `build-${variant}`, `build the ${title}`, 'computes', tiers, { command: build(variant) }),
    stage(part, variant, title, 'computes', tiers, {
      command: [`build/native-${variant}/native_tests`],
      after: [`build-${variant}`],
    }),
  ];
}

function fuzzer(name: string): Stage {
  const limits = ['-timeout=10', '-rss_limit_mb=2048', '-verbosity=0', '-print_final_stats=1'];
  return stage('fuzz', name, `${name}, ${fuzzSeconds} s`, 'computes', ['all'], {
    command: [`build/native-asan/${name}`, `-max_total_time=${fuzzSeconds}`, ...limits],
    after: ['build-fuzz'],
  });
}
