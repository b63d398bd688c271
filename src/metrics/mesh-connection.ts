// SPDX-License-Identifier: Apache-2.0
// What the metrics need to know about a connection of the mesh. The forwarder's service lists the connections.

export interface MeshConnection {
  /** The connection id of this forwarder's own path segment. */
  readonly id: string;
  /** The name of the connection's wire, which has the counters. */
  readonly wire: string;
  readonly networkService: string;
  /** The index of this forwarder's segment on the path, and the number of segments. */
  readonly index: number;
  readonly segments: number;
  /** The id of the first segment, and the interface names that the client and the endpoint report. */
  readonly client: string;
  readonly clientInterface: string;
  readonly endpointInterface: string;
}
