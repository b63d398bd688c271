// SPDX-License-Identifier: Apache-2.0
// Parses the address to listen at: host:port, [IPv6]:port or :port.

import { isIP } from 'node:net';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export function parseListenAddress(text: string): ListenAddress | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) return undefined;
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? { host: bracketed, port } : undefined;
  const host = plain === '' || plain === undefined ? '::' : plain;
  return /^[A-Za-z0-9.:-]+$/.test(host) ? { host, port } : undefined;
}
