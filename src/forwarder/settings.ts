// SPDX-License-Identifier: Apache-2.0
// How the forwarder is to appear in a mesh. config/ reads it from the environment.

import type { RegistryPolicy } from '../model/registry-policy.ts';

export interface NsmSettings {
  /** Of the forwarder: its endpoint name and its segment of every path. */
  readonly name: string;
  /** Under `serviceName` in the registration. */
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly managerUrl: string;
  readonly listenUrl: string;
  readonly maxTokenMilliseconds: number;
  readonly dialMilliseconds: number;
  /** Absent: that of the interface of the default route. */
  readonly tunnelAddress?: string;
  readonly vxlanPort: number;
  readonly wireguardPort: number;
  readonly mechanismPriority: readonly string[];
  readonly memifViaEngine: boolean;
  /** That the answer to our registration must pass. */
  readonly registryPolicies: readonly RegistryPolicy[];
}
