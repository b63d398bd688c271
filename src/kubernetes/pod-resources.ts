// SPDX-License-Identifier: Apache-2.0
// Reads from kubelet's PodResources API which devices pods have been given.

import { PodResourcesListerService } from './generated/podresources.ts';
import { callKubelet } from './calls.ts';

/** Resource name → ids of the devices given to pods. */
export type GivenDevices = ReadonlyMap<string, ReadonlySet<string>>;

/** Rejects with KUBELET_UNREACHABLE. */
export async function listGivenDevices(socket: string): Promise<GivenDevices> {
  const { podResources } = await callKubelet(socket, PodResourcesListerService.list, {});
  const devices = podResources.flatMap(({ containers }) => containers.flatMap((container) => container.devices));
  const given = new Map<string, Set<string>>();
  for (const { resourceName, deviceIds } of devices)
    given.set(resourceName, new Set([...(given.get(resourceName) ?? []), ...deviceIds]));
  return given;
}
