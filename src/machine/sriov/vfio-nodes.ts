// SPDX-License-Identifier: Apache-2.0
// The device nodes that an application opens to drive a device (Documentation/driver-api/vfio.rst), and the grant for them.

import { stat } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { CrosswireError } from '../../model/error.ts';
import type { DeviceNode } from '../../model/status.ts';
import type { DeviceGrant } from '../device-access/device-grant.ts';
import type { Lease } from './lease.ts';

/** The device numbers of /dev/vfio/vfio and /dev/vfio/GROUP. */
export async function readNodes(directory: string, group: number): Promise<NonNullable<Lease['nodes']>> {
  return { container: await nodeAt(`${directory}/vfio`), group: await nodeAt(`${directory}/${group}`) };
}

/** Waits for the node. devtmpfs makes it with the device, but in a container with its own /dev another program makes it a
 *  little later. */
async function nodeAt(path: string): Promise<DeviceNode> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const found = await stat(path).catch(() => undefined);
    if (found?.isCharacterDevice()) return deviceNumber(found.rdev);
    await pause(10);
  }
  throw new CrosswireError({
    code: 'DEVICE_MISSING',
    operation: 'find the device node',
    subject: path,
    reason: 'there is none',
    hint: "modprobe vfio-pci; in a container, mount the host's /dev/vfio",
  });
}

/** gnu_dev_major() and gnu_dev_minor() of glibc's sys/sysmacros.h, for numbers of at most 32 bits. */
function deviceNumber(rdev: number): DeviceNode {
  return { major: (rdev >>> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00) };
}

/** The grant that belongs to a lease; the same on every call. */
export function grantOf({ pci, cgroup, nodes }: Lease): DeviceGrant | undefined {
  if (cgroup === undefined || nodes === undefined) return undefined;
  return { cgroup, holder: `crosswire-${pci}`, nodes: [nodes.container, nodes.group] };
}
