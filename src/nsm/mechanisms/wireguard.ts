// SPDX-License-Identifier: Apache-2.0
// Keys and UDP ports of WireGuard tunnels: a pair and a port for each connection, for a device of the kernel shares its
// port with no other. NSM's own forwarders have all on one port; each side is told the other's, so both work together.

import { generateKeyPairSync } from 'node:crypto';
import { CrosswireError } from '../../model/error.ts';
import type { Mechanism as WireMechanism } from '../../wire/wire.ts';

/** Our side of a tunnel. Keys are in base64. */
export interface WireguardSide {
  readonly port: number;
  readonly privateKey: string;
  readonly publicKey: string;
}

export interface WireguardPorts {
  readonly first: number;
  /** In the forwarder's namespace, for both families. */
  readonly isFree: (port: number) => Promise<boolean>;
}

const highestPort = 0xffff;

export class WireguardBook {
  readonly #ports: WireguardPorts;
  readonly #sides = new Map<string, WireguardSide>(); // of a connection
  readonly #asked = new Set<number>();

  constructor(ports: WireguardPorts) {
    this.#ports = ports;
  }

  /** The same side for a connection as long as it lives; after a restart, the side of the wire that still exists. */
  async sideOf(connection: string, standing?: WireMechanism): Promise<WireguardSide> {
    const known = this.#sides.get(connection) ?? this.#sideOfWire(standing);
    const side = known ?? { ...makeKeys(), port: await this.#choosePort() };
    this.#sides.set(connection, side);
    this.#asked.delete(side.port);
    return side;
  }

  release(connection: string): void {
    this.#sides.delete(connection);
  }

  #sideOfWire(standing: WireMechanism | undefined): WireguardSide | undefined {
    if (standing?.type !== 'wireguard' || this.#isHeld(standing.localPort)) return undefined;
    const { localPort: port, privateKey, ownPublicKey: publicKey } = standing;
    return { port, privateKey, publicKey };
  }

  /** Nobody else is given it, from when it is asked about. */
  async #choosePort(): Promise<number> {
    const { first, isFree } = this.#ports;
    for (let port = first; port <= highestPort; port++) {
      if (this.#isHeld(port) || this.#asked.has(port)) continue;
      this.#asked.add(port);
      if (await isFree(port)) return port;
      this.#asked.delete(port);
    }
    throw new CrosswireError({
      code: 'MECHANISM_UNSUPPORTED',
      operation: 'choose a UDP port for WireGuard',
      subject: `from ${first} on`,
      reason: 'none is free',
      hint: 'set CROSSWIRE_WIREGUARD_PORT to a lower one',
    });
  }

  #isHeld(port: number): boolean {
    for (const side of this.#sides.values()) if (side.port === port) return true;
    return false;
  }
}

function makeKeys(): Pick<WireguardSide, 'privateKey' | 'publicKey'> {
  const { d = '', x = '' } = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' });
  const standard = (text: string) => Buffer.from(text, 'base64url').toString('base64');
  return { privateKey: standard(d), publicKey: standard(x) };
}
