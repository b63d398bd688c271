// SPDX-License-Identifier: Apache-2.0
// HTTP from inside a namespace. bash opens TCP connections by itself, and starts in no time, in the lab too.

import type { Namespace } from './namespace.ts';

const script = 'exec 3<>"/dev/tcp/$1/$2"; printf "GET %s HTTP/1.0\\r\\n\\r\\n" "$3" >&3; cat <&3';

/** The body, if the answer is 200. `address`: host:port. */
export async function askInside(where: Namespace, address: string, path: string): Promise<string | undefined> {
  const answer = await where.run('bash', '-c', script, 'ask', ...address.split(':'), path);
  const [, status, body] = /^HTTP\/1\.\d (\d+)[^]*?\r\n\r\n([^]*)$/.exec(answer) ?? [];
  return status === '200' ? body : undefined;
}
