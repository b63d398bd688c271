// SPDX-License-Identifier: Apache-2.0
// Describes the machine and the versions of the programs that are measured.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { roundTrip, stateOf } from './machine-state.ts';
import { findProgram, ownVersion } from './programs.ts';
import type { Environment, MachineAt } from './result.ts';

/** The frequency of the time-stamp counter, as the kernel calibrated it. */
export function cyclesPerSecond(): number {
  const megahertz = /^cpu MHz\s*: (\S+)/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1];
  return Number(megahertz ?? Number.NaN) * 1e6;
}

export function commit(): string {
  const { status, stdout } = spawnSync('git', ['describe', '--always', '--dirty', '--abbrev=10', '--exclude=*'], {
    encoding: 'utf8',
    cwd: import.meta.dirname,
  });
  return (status === 0 && stdout.trim()) || 'unknown';
}

const noDevices = ['--no-huge', '-m', '64', '--no-pci', '--no-telemetry', '--in-memory'];

export function environment(): Environment {
  const versions: Record<string, string> = { crosswire: ownVersion() };
  const ask = (name: string, program: string, args: readonly string[], pattern: RegExp) => {
    const path = findProgram(program);
    const version = path && pattern.exec(say(path, args))?.[1];
    if (version) versions[name] = version;
  };
  // testpmd prints its version only when it starts.
  ask('DPDK', 'dpdk-testpmd', [...noDevices, '-v', '--', '--help'], /RTE Version: 'DPDK (\S+)'/);
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

/** All output of the program, on both streams, whatever its exit code. */
function say(program: string, args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 10_000 });
  return `${stdout ?? ''}${stderr ?? ''}`;
}
