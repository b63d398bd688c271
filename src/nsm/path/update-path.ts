// SPDX-License-Identifier: Apache-2.0
// Our place on the path of a connection (networkservicemesh/sdk, pkg/networkservice/common/updatepath). One program is one
// segment: the calls that it makes onward keep its index.

import { randomUUID } from 'node:crypto';
import { CrosswireError } from '../../model/error.ts';
import type { Connection, Path, PathSegment } from '../generated/connection.ts';

/** A peer may send any path; real ones have at most a dozen segments. */
const mostSegments = 64;

export interface Located {
  /** With our own id, and the path's index at our own segment. */
  readonly connection: Connection;
  /** The caller's id and index, which the answer must carry. */
  readonly caller: { readonly id: string; readonly index: number };
}

/** `name` is our own. Throws CONNECTION_PATH for a path that contradicts itself. */
export function locate(connection: Connection, name: string, newId: () => string = randomUUID): Located {
  const path = connection.path ?? { index: 0, pathSegments: [] };
  const { index, pathSegments: segments } = path;
  if (segments.length > mostSegments) throw wrongPath(connection, `${segments.length} segments are too many`);
  if (segments.length === 0) {
    const id = connection.id || newId();
    return at(connection, { index: 0, pathSegments: [segment(name, id)] }, id);
  }
  const current = segments[index];
  if (!current) throw wrongPath(connection, `index ${index} is beyond its ${segments.length} segments`);
  if (current.name === name) return at(connection, path, current.id);
  if (current.id !== connection.id)
    throw wrongPath(connection, `segment ${index} has the id '${current.id}', the connection '${connection.id}'`);
  const next = segments[index + 1];
  const own = next?.name === name ? next : { ...(next ?? segment(name, '')), name, id: newId() };
  const moved = [...segments.slice(0, index + 1), own, ...segments.slice(index + 2)];
  return at(connection, { index: index + 1, pathSegments: moved }, own.id);

  function at(from: Connection, to: Path, id: string): Located {
    return { connection: { ...from, id, path: to }, caller: { id: segments[index]?.id ?? id, index } };
  }
}

/** As the caller sees it: with its own id and index. */
export function asCallerSees(connection: Connection, caller: Located['caller']): Connection {
  const path = connection.path && { ...connection.path, index: caller.index };
  return { ...connection, id: caller.id, path };
}

/** Without the segments behind ours, for an endpoint has no onward connection. */
export function trimmed(connection: Connection): Connection {
  if (!connection.path) return connection;
  const { index, pathSegments } = connection.path;
  return { ...connection, path: { index, pathSegments: pathSegments.slice(0, index + 1) } };
}

function segment(name: string, id: string): PathSegment {
  return { name, id, token: '', expires: undefined, metrics: {} };
}

function wrongPath(connection: Connection, reason: string): CrosswireError {
  return new CrosswireError({
    code: 'CONNECTION_PATH',
    operation: 'find our place on the path',
    subject: `connection ${connection.id}`,
    reason,
    hint: 'the caller must send the path of its own last answer',
  });
}
