// SPDX-License-Identifier: Apache-2.0
// Chooses VXLAN network identifiers. Each forwarder chooses from one half of them, so that two forwarders that open tunnels to
// each other at the same time never choose the same identifier.

import { randomInt } from 'node:crypto';
import { parseAddress } from '../../wire/values/addresses.ts';
import { parameter } from '../names.ts';
import type { TunnelBook } from './mechanism.ts';

const identifiers = 1 << 24; // RFC 7348, section 5

/** Even unless the caller's address is higher than ours; if addresses were translated, the original ones count. */
export function vniParity(parameters: Readonly<Record<string, string>>): 0 | 1 {
  const source = bitsOf(parameters[parameter.originalSourceAddress] || parameters[parameter.sourceAddress]);
  const destination = bitsOf(
    parameters[parameter.originalDestinationAddress] || parameters[parameter.destinationAddress],
  );
  if (source === undefined) return 0;
  if (destination === undefined) return 1;
  return source <= destination ? 0 : 1;
}

/** The address as a number; IPv4 is mapped into IPv6, as in Go. */
function bitsOf(text: string | undefined): bigint | undefined {
  const address = parseAddress(text ?? '');
  return address && (address.family === 4 ? mappedPrefix | address.bits : address.bits);
}

const mappedPrefix = 0xffffn << 32n; // ::ffff:0:0/96 (RFC 4291, section 2.5.5.2)

/** The identifiers of tunnels that other forwarders opened to us. */
export class VniBook implements TunnelBook {
  readonly #taken = new Map<string, string>(); // remote address and VNI → connection
  readonly #last = new Map<string, { readonly remote: string; readonly vni: number }>(); // by connection

  /** A free identifier of the parity, from 2 on; identifiers must be unique in the kernel, whatever the remote address
   *  (docs/decisions/010-vxlan.md). The same connection gets the same identifier again, because a caller that was killed
   *  requests it without one. */
  choose(remote: string, parity: 0 | 1, connection: string): number {
    const last = this.#last.get(connection);
    if (last?.remote === remote && last.vni % 2 === parity) return last.vni;
    for (;;) {
      const vni = randomInt(1, identifiers / 2) * 2 + parity;
      if (!this.#isTaken(vni) && this.hold(remote, vni, connection)) return vni;
    }
  }

  /** VXLAN tunnels have no keys or ports of their own. */
  async sideOf(): Promise<undefined> {}

  #isTaken(vni: number): boolean {
    for (const key of this.#taken.keys()) if (key.endsWith(`/${vni}`)) return true;
    return false;
  }

  /** Returns false if another connection has the identifier. */
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
