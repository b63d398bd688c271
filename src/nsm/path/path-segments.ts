// SPDX-License-Identifier: Apache-2.0
// Reading and writing single segments of a path.

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

/** The one of the client that the wire is for: its id outlives every restart on the way. */
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

/** Our own, in both of its places. */
export function withId(connection: Connection, id: string): Connection {
  return { ...withSegment(connection, 0, { id }), id };
}

/** With what the next hop says of the segments behind ours. */
export function withSegmentsBehind(connection: Connection, { path: news }: Connection): Connection {
  const { path } = connection;
  if (!path || !news) return connection;
  const { index } = path;
  const pathSegments = [...path.pathSegments.slice(0, index + 1), ...news.pathSegments.slice(index + 1)];
  return { ...connection, path: { index, pathSegments } };
}

/** The SPIFFE ID in the client's token, which the policies have chained to the caller's. */
export function clientOf(connection: Connection): string {
  const segment = firstSegment(connection);
  return segment ? subjectOf(segment) : '';
}

/** Who the token of a segment says it is; '' where that cannot be read. */
export function subjectOf({ token }: PathSegment): string {
  const [, claims = ''] = token.split('.', 2);
  try {
    const { sub } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { sub?: unknown };
    return typeof sub === 'string' ? sub : '';
  } catch {
    return '';
  }
}
