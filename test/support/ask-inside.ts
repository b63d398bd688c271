// SPDX-License-Identifier: Apache-2.0
// Sends an HTTP request from inside a namespace with bash, which can open TCP connections and starts fast, in the lab too.

import type { Namespace } from './namespace.ts';

const script = 'exec 3<>"/dev/tcp/$1/$2"; printf "GET %s HTTP/1.0\\r\\n\\r\\n" "$3" >&3; cat <&3';

/** Returns the body if the status is 200. `address`: host:port. */
export async function askInside(where: Namespace, address: string, path: string): Promise<string | undefined> {
  const answer = await where.run('bash', '-c', script, 'ask', ...address.split(':'), path);
  const [, status, body] = /^HTTP\/1\.\d (\d+)[^]*?\r\n\r\n([^]*)$/.exec(answer) ?? [];
  return status === '200' ? body : undefined;
}
