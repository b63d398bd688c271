// SPDX-License-Identifier: Apache-2.0
// What was measured on.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { roundTrip, stateOf } from './machine-state.ts';
import { findProgram, ownVersion } from './programs.ts';
import type { Environment, MachineAt } from './result.ts';

/** Of the time-stamp counter, as the kernel calibrated it. */
export function cyclesPerSecond(): number {
  const megahertz = /^cpu MHz\s*: (\S+)/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1];
  return Number(megahertz ?? Number.NaN) * 1e6;
}

export function commit(): string {
  const description = say('git', ['describe', '--always', '--dirty', '--abbrev=10', '--exclude=*']);
  return description.trim() || 'unknown';
}

export function environment(): Environment {
  const versions: Record<string, string> = { crosswire: ownVersion() };
  const ask = (name: string, program: string, args: readonly string[], pattern: RegExp) => {
    const path = findProgram(program);
    const version = path && pattern.exec(say(path, args))?.[1];
    if (version) versions[name] = version;
  };
  ask('DPDK', 'dpdk-testpmd', ['--version'], /DPDK (\S+)/);
  ask('iperf3', 'iperf3', ['--version'], /iperf (\S+)/);
  ask('iproute2', 'tc', ['-V'], /iproute2-(\S+),/);
  ask('Open vSwitch', 'ovs-vswitchd', ['--version'], /\(Open vSwitch\) (\S+)/);
  ask('VPP', 'vpp', ['--version'], /vpp v(\S+)/);
  const [first, ...others] = cpus();
  return {
    cpu: first?.model ?? 'unknown',
    cpus: others.length + 1,
    memoryMiB: Math.round(totalmem() / (1 << 20)),
    kernel: release(),
    node: process.version,
    commit: commit(),
    versions,
  };
}

export async function machineAt(): Promise<MachineAt> {
  const trip = await roundTrip();
  const state = stateOf([trip]);
  return { roundTripNanoseconds: trip, ...(state === undefined ? {} : { state }), load: loadavg()[0] ?? Number.NaN };
}

function say(program: string, args: readonly string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 10_000 });
  } catch (error) {
    return (error as { stdout?: string }).stdout ?? '';
  }
}
