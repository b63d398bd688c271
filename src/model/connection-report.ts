// SPDX-License-Identifier: Apache-2.0
// The report on a connection of the mesh, as `crosswire request` and `endpoint` print it.

export interface ConnectionReport {
  readonly id: string;
  readonly networkService: string;
  readonly endpoint: string;
  readonly payload: string;
  readonly mechanism: string;
  readonly interface: string;
  /** The memif socket; absent for other mechanisms. */
  readonly socket?: string;
  readonly mtu: number;
  readonly clientAddresses: readonly string[];
  readonly endpointAddresses: readonly string[];
  /** The names of the programs on the connection's path, from client to endpoint. */
  readonly path: readonly string[];
}
