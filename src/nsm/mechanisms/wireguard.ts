// SPDX-License-Identifier: Apache-2.0
// WIREGUARD: an encrypted tunnel for IP packets. Each connection has its own keys and UDP port, because a kernel device cannot
// share its port. NSM's own forwarders use one port for all connections. Each side tells the other its port, so both kinds
// work together.

import { generateKeyPairSync } from 'node:crypto';
import { CrosswireError } from '../../model/error.ts';
import type { Mechanism as WireMechanism } from '../../wire/wire.ts';
import { parameter } from '../names.ts';
import type { NsmTunnel, TunnelBook, TunnelPorts, TunnelSide } from './mechanism.ts';
import { answered, sidesOf, tunnelOffer } from './tunnels.ts';

const names = { type: 'WIREGUARD', wireType: 'wireguard' } as const;

export const wireguard: NsmTunnel<WireguardBook> = {
  ...names,
  taken: 'as tunnel',
  completed: ({ tunnel, side }, _, asked) => {
    const parameters = answered(names, tunnel, asked.parameters, side?.port);
    return { ...asked, parameters: { ...parameters, [parameter.destinationPublicKey]: side?.publicKey ?? '' } };
  },
  endOf: (agreement, end) => {
    const { side } = agreement;
    const { other } = sidesOf(agreement, end);
    const key = end === 'endpoint' ? parameter.destinationPublicKey : parameter.sourcePublicKey;
    return {
      wireguard: {
        ...(side ? { localPort: side.port } : {}),
        remote: other.address as string,
        remotePort: Number(other.port),
        privateKey: side?.privateKey as string,
        publicKey: agreement[end].parameters[key] as string,
      },
    };
  },
  offer: (tunnel, { side }) =>
    tunnelOffer(names, tunnel, side?.port, { [parameter.sourcePublicKey]: side?.publicKey ?? '' }),
  missing: (carried) => ({
    reason: `payload ${carried} needs WIREGUARD to another node, which this node does not offer`,
    hint: 'it needs WireGuard in the kernel (see crosswire doctor); or register the network service with payload ETHERNET, or run an endpoint on this node',
  }),
  createBook: (ports) => new WireguardBook(ports),
};

const highestPort = 0xffff;

export class WireguardBook implements TunnelBook {
  readonly #ports: TunnelPorts;
  readonly #sides = new Map<string, TunnelSide>(); // by connection
  readonly #asked = new Set<number>();

  constructor(ports: TunnelPorts) {
    this.#ports = ports;
  }

  /** The same side for a connection as long as it lives; after a restart, the side of the wire that still exists. */
  async sideOf(connection: string, standing?: WireMechanism): Promise<TunnelSide> {
    const known = this.#sides.get(connection) ?? this.#sideOfWire(standing);
    const side = known ?? { ...makeKeys(), port: await this.#choosePort() };
    this.#sides.set(connection, side);
    this.#asked.delete(side.port);
    return side;
  }

  release(connection: string): void {
    this.#sides.delete(connection);
  }

  #sideOfWire(standing: WireMechanism | undefined): TunnelSide | undefined {
    if (standing?.type !== 'wireguard' || this.#isHeld(standing.localPort)) return undefined;
    const { localPort: port, privateKey, ownPublicKey: publicKey } = standing;
    return { port, privateKey, publicKey };
  }

  /** Chooses a free port, and reserves it while it is being checked. */
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

function makeKeys(): Pick<TunnelSide, 'privateKey' | 'publicKey'> {
  const { d = '', x = '' } = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' });
  const standard = (text: string) => Buffer.from(text, 'base64url').toString('base64');
  return { privateKey: standard(d), publicKey: standard(x) };
}
