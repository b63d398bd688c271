// SPDX-License-Identifier: Apache-2.0
// Tests that need something of the machine: probed once, skipped with the reason, and the skip is written where
// scripts/run-tests lists it (and fails on CI).

import { execFileSync } from 'node:child_process';
import { appendFileSync, closeSync, openSync } from 'node:fs';
import { delimiter } from 'node:path';
import { existsSync } from 'node:fs';
import test, { type ImplementationFn } from 'ava';

export type Requirement =
  | 'root'
  | 'tun'
  | 'dpdk-testpmd'
  | 'iperf3'
  | 'prometheus'
  | 'ping'
  | 'ethtool'
  | 'protoc'
  | 'chromium';

const programs: Partial<Record<Requirement, string>> = {
  'dpdk-testpmd': 'dpdk-testpmd',
  iperf3: 'iperf3',
  ping: 'ping',
  ethtool: 'ethtool',
  protoc: 'protoc',
  chromium: 'chromium',
};

/** Absolute path of a program on PATH or unpacked by scripts/setup, or undefined. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin', '.cache/prometheus/usr/bin'];
  return folders.map((folder) => `${folder}/${name}`).find((path) => existsSync(path));
}

function whyMissing(requirement: Requirement): string | undefined {
  switch (requirement) {
    case 'root':
      return process.getuid?.() === 0 && canMakeNamespaces() ? undefined : 'needs root and CAP_SYS_ADMIN';
    case 'tun':
      return canOpenTun() ? undefined : '/dev/net/tun cannot be opened';
    case 'prometheus':
      return findProgram('prometheus') && findProgram('promtool') ? undefined : 'prometheus and promtool are missing';
    default:
      return findProgram(programs[requirement] as string) ? undefined : `${programs[requirement]} is missing`;
  }
}

function canMakeNamespaces(): boolean {
  try {
    execFileSync('unshare', ['--net', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function canOpenTun(): boolean {
  try {
    closeSync(openSync('/dev/net/tun', 'r+'));
    return true;
  } catch {
    return false;
  }
}

/** `test.serial`, or a recorded skip where the machine lacks something. */
export function testWith(requirements: readonly Requirement[], title: string, body: ImplementationFn<[]>): void {
  const reasons = requirements.map(whyMissing).filter((reason) => reason !== undefined);
  if (reasons.length === 0) {
    test.serial(title, body);
    return;
  }
  const line = `SKIP ${title}: ${reasons.join('; ')}\n`;
  process.stderr.write(line);
  const list = process.env['CROSSWIRE_SKIP_LIST'];
  if (list) appendFileSync(list, line);
  test.serial.skip(title, body);
}
