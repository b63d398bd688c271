// SPDX-License-Identifier: Apache-2.0
// The connection as we know it after the next hop's answer: the answer may change what lies behind us, not what the caller
// asked for.

import type { Connection } from '../../nsm/generated/connection.ts';
import type { Found } from '../../nsm/registry/discovery.ts';

export function mergedAnswer(asked: Connection, answer: Connection, { name }: Found): Connection {
  return {
    ...answer,
    networkService: asked.networkService,
    networkServiceEndpointName: name,
    payload: asked.payload,
    path: mergedPath(asked, answer),
  };
}

/** Segments before ours are the caller's word, segments behind ours the next hop's. */
function mergedPath(asked: Connection, answer: Connection): Connection['path'] {
  const index = asked.path?.index ?? 0;
  const [before, behind] = [asked.path?.pathSegments ?? [], answer.path?.pathSegments ?? []];
  const own = before[index];
  const { token = '', expires } = behind[index] ?? {};
  return {
    index,
    pathSegments: [...before.slice(0, index), ...(own ? [{ ...own, token, expires }] : []), ...behind.slice(index + 1)],
  };
}
