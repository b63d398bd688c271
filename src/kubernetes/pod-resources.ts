// SPDX-License-Identifier: Apache-2.0
// What kubelet has given to pods (its PodResources API).

import { PodResourcesListerService } from './generated/podresources.ts';
import { callKubelet } from './calls.ts';

/** Device ids by the name of their resource. */
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
