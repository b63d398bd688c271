// SPDX-License-Identifier: Apache-2.0
// URLs of servers in NSM: `unix:///path` (or `unix:path`), `tcp://host:port`, and gRPC's own `host:port`, `dns:host:port`.

import { CrosswireError } from '../model/error.ts';

export type Address =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** Throws VALUE_INVALID. */
export function addressOf(url: string): Address {
  const unix = /^unix:(?:\/\/)?(.+)$/s.exec(url);
  if (unix) return { kind: 'unix', path: unix[1] as string };
  const tcp = /^(?:tcp:\/\/|dns:(?:\/\/[^/]*\/)?)?(\[[^\]/]+\]|[^:/[\]]*):(\d{1,5})$/.exec(url);
  const port = Number(tcp?.[2]);
  if (!tcp || port > 65_535)
    throw new CrosswireError({
      code: 'VALUE_INVALID',
      operation: 'read the URL of a server',
      subject: url,
      reason: 'it is neither unix:///path nor tcp://host:port',
    });
  return { kind: 'tcp', host: (tcp[1] as string).replace(/^\[|\]$/g, ''), port };
}
