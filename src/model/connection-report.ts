// SPDX-License-Identifier: Apache-2.0
// A connection of a mesh as people and programs want to know it.

export interface ConnectionReport {
  readonly id: string;
  readonly networkService: string;
  readonly endpoint: string;
  readonly payload: string;
  readonly mechanism: string;
  readonly interface: string;
  /** Of a memif. */
  readonly socket?: string;
  readonly mtu: number;
  readonly clientAddresses: readonly string[];
  readonly endpointAddresses: readonly string[];
  /** Names of the programs between client and endpoint, both included. */
  readonly path: readonly string[];
}
