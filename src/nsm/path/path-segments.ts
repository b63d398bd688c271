// SPDX-License-Identifier: Apache-2.0
// Reads and changes single segments of a path.

import type { Connection, PathSegment } from '../generated/connection.ts';

export function ownSegment({ path }: Connection): PathSegment | undefined {
  return path?.pathSegments[path.index];
}

/** The caller's; undefined where the path begins with us. */
export function previousSegment({ path }: Connection): PathSegment | undefined {
  return path && path.index > 0 ? path.pathSegments[path.index - 1] : undefined;
}

/** The next hop's; undefined where the path ends with us. */
export function nextSegment({ path }: Connection): PathSegment | undefined {
  return path?.pathSegments[path.index + 1];
}

/** The client's segment, whose id outlives every restart on the path. */
export function firstSegment({ path }: Connection): PathSegment | undefined {
  return path?.pathSegments[0];
}

/** `at` is relative to our own segment. */
export function withSegment(connection: Connection, at: number, change: Partial<PathSegment>): Connection {
  const { path } = connection;
  if (!path) return connection;
  const where = path.index + at;
  const pathSegments = path.pathSegments.map((one, index) => (index === where ? { ...one, ...change } : one));
  return { ...connection, path: { ...path, pathSegments } };
}

/** Sets our own id, which the connection and our segment both carry. */
export function withId(connection: Connection, id: string): Connection {
  return { ...withSegment(connection, 0, { id }), id };
}

/** Takes the segments behind ours from the next hop's news. */
export function withSegmentsBehind(connection: Connection, { path: news }: Connection): Connection {
  const { path } = connection;
  if (!path || !news) return connection;
  const { index } = path;
  const pathSegments = [...path.pathSegments.slice(0, index + 1), ...news.pathSegments.slice(index + 1)];
  return { ...connection, path: { index, pathSegments } };
}

/** The SPIFFE ID in the client's token, which the policies chain to the caller's token. */
export function clientOf(connection: Connection): string {
  const segment = firstSegment(connection);
  return segment ? subjectOf(segment) : '';
}

/** The subject that the token of a segment claims; '' where it cannot be read. */
export function subjectOf({ token }: PathSegment): string {
  const [, claims = ''] = token.split('.', 2);
  try {
    const { sub } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { sub?: unknown };
    return typeof sub === 'string' ? sub : '';
  } catch {
    return '';
  }
}
