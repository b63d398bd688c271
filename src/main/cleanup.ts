// SPDX-License-Identifier: Apache-2.0
// What `crosswire cleanup` needs of this machine.

import { NativeDataplane } from '../dataplane/dataplane.ts';
import { requireCapabilities } from '../machine/privileges.ts';
import { openDevices } from '../machine/sriov/open.ts';
import type { CleanupReport } from '../model/cleanup.ts';
import type { RunOptions } from '../options/run-options.ts';
import { cleanUp } from '../supervisor/cleanup.ts';

export async function cleanUpMachine(options: RunOptions, dryRun: boolean): Promise<CleanupReport> {
  const { node, stateDirectory, vfioDirectory: nodes } = options;
  const dataplane = new NativeDataplane();
  requireCapabilities((await dataplane.probe()).capabilities);
  const { lender: devices } = openDevices({ dataplane, stateDirectory, nodes });
  return cleanUp({ dataplane, devices, node, stateDirectory, dryRun });
}
