// SPDX-License-Identifier: Apache-2.0
// Which half of the VXLAN network identifiers is ours to choose from: two forwarders that open tunnels to each other at
// the same time must never pick the same one.

import { randomInt } from 'node:crypto';
import { parseAddress } from '../../wire/values/addresses.ts';
import { parameter } from '../names.ts';
import type { TunnelBook } from './mechanism.ts';

const identifiers = 1 << 24; // RFC 7348, section 5

/** Even if the caller's address is not above ours, else odd; addresses before a translation count, where known. */
export function vniParity(parameters: Readonly<Record<string, string>>): 0 | 1 {
  const source = bitsOf(parameters[parameter.originalSourceAddress] || parameters[parameter.sourceAddress]);
  const destination = bitsOf(
    parameters[parameter.originalDestinationAddress] || parameters[parameter.destinationAddress],
  );
  if (source === undefined) return 0;
  if (destination === undefined) return 1;
  return source <= destination ? 0 : 1;
}

/** IPv4 as mapped into IPv6, which is how Go holds it. */
function bitsOf(text: string | undefined): bigint | undefined {
  const address = parseAddress(text ?? '');
  return address && (address.family === 4 ? mappedPrefix | address.bits : address.bits);
}

const mappedPrefix = 0xffffn << 32n; // ::ffff:0:0/96 (RFC 4291, section 2.5.5.2)

/** Identifiers in use, of tunnels that others opened to us. */
export class VniBook implements TunnelBook {
  readonly #taken = new Map<string, string>(); // remote address and vni → connection
  readonly #last = new Map<string, { readonly remote: string; readonly vni: number }>(); // of a connection

  /** One of that parity that no remote address has yet, from 2 on: the kernel has each once (docs/decisions/010-vxlan.md).
   *  The same again for the same connection: a caller that was killed asks without one, and another would be another
   *  tunnel. */
  choose(remote: string, parity: 0 | 1, connection: string): number {
    const last = this.#last.get(connection);
    if (last?.remote === remote && last.vni % 2 === parity) return last.vni;
    for (;;) {
      const vni = randomInt(1, identifiers / 2) * 2 + parity;
      if (!this.#isTaken(vni) && this.hold(remote, vni, connection)) return vni;
    }
  }

  /** Both nodes are known by their port alone. */
  async sideOf(): Promise<undefined> {}

  #isTaken(vni: number): boolean {
    for (const key of this.#taken.keys()) if (key.endsWith(`/${vni}`)) return true;
    return false;
  }

  /** false: another connection has it. */
  hold(remote: string, vni: number, connection: string): boolean {
    const key = `${remote}/${vni}`;
    const holder = this.#taken.get(key);
    if (holder !== undefined && holder !== connection) return false;
    this.#taken.set(key, connection);
    this.#last.set(connection, { remote, vni });
    return true;
  }

  release(connection: string): void {
    this.#last.delete(connection);
    for (const [key, holder] of this.#taken) if (holder === connection) this.#taken.delete(key);
  }
}
