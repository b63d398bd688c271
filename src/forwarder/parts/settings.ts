// SPDX-License-Identifier: Apache-2.0
// How the forwarder appears in a mesh. options/ reads it from the environment.

import type { RegistryPolicy } from '../../model/registry-policy.ts';

export interface NsmSettings {
  /** The forwarder's endpoint name, and the name of its segment of every path. */
  readonly name: string;
  /** Under `serviceName` in the registration. */
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly managerUrl: string;
  readonly listenUrl: string;
  readonly maxTokenMilliseconds: number;
  readonly dialMilliseconds: number;
  /** Absent: the address of the default route's interface. */
  readonly tunnelAddress?: string;
  /** UDP ports of tunnels, by the type of their mechanism. */
  readonly tunnelPorts: Readonly<Record<string, number>>;
  readonly mechanismPriority: readonly string[];
  readonly memifViaEngine: boolean;
  /** Policies that the answer to our registration must pass. */
  readonly registryPolicies: readonly RegistryPolicy[];
}
