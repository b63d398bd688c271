// SPDX-License-Identifier: Apache-2.0
// What metrics need to know of a connection of the mesh. nsm/ lists them.

export interface MeshConnection {
  /** Ours, of our own segment of the path. */
  readonly id: string;
  /** Its wire: where the numbers are. */
  readonly wire: string;
  readonly networkService: string;
  /** Our place on the path, and its number of segments. */
  readonly index: number;
  readonly segments: number;
  /** The id of the first segment, and the interfaces that the first and the last say they have. */
  readonly client: string;
  readonly clientInterface: string;
  readonly endpointInterface: string;
}
