// SPDX-License-Identifier: Apache-2.0
// An established connection, and all that is held for it.

import type { NextHop } from '../../grpc/calls.ts';
import type { MeshConnection } from '../../metrics/mesh-connection.ts';
import type { HeldFiles } from '../../nsm/chain/held-files.ts';
import type { Connection, Mechanism } from '../../nsm/generated/connection.ts';
import { isInodeUrl } from '../../nsm/inode-url.ts';
import { parameter } from '../../nsm/names.ts';
import { firstSegment } from '../../nsm/path/path-segments.ts';
import type { Found } from '../../nsm/registry/discovery.ts';

export interface Established {
  /** Our own id. */
  readonly id: string;
  /** As we see it: own id, own index, the caller's mechanism. */
  connection: Connection;
  /** SPIFFE IDs of the last caller, and of the client whose wire it is. */
  readonly caller: string;
  readonly client: string;
  /** See Callers. */
  readonly scope: string;
  /** Frees its place among the connections. */
  readonly freePlace: () => void;
  /** Agreed with the next hop. */
  onward: Mechanism;
  endpoint: Found;
  nextHop: NextHop;
  readonly wire: string;
  readonly files: HeldFiles;
  /** Ends the stream of events from the next hop. */
  stopWatching: () => void;
}

/** The `inode://` urls of those ends that are on this node. */
export function namespacesOf({ connection: { mechanism }, onward }: Established): string[] {
  return [mechanism, onward].map((one) => one?.parameters[parameter.inodeUrl]).filter(isInodeUrl);
}

export function asMeshConnection({ id, wire, connection }: Established): MeshConnection {
  const { pathSegments = [], index = 0 } = connection.path ?? {};
  return {
    id,
    wire,
    networkService: connection.networkService,
    index,
    segments: pathSegments.length,
    client: firstSegment(connection)?.id ?? id,
    clientInterface: firstSegment(connection)?.metrics['client_interface'] ?? '',
    endpointInterface: pathSegments.at(-1)?.metrics['server_interface'] ?? '',
  };
}
