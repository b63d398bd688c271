// SPDX-License-Identifier: Apache-2.0
// Tunnels to another node, which are devices of the kernel: the parameters and the state of each kind.

export interface VxlanParameters {
  readonly kind: 'vxlan';
  readonly local: string;
  readonly remote: string; // of the same family
  readonly port: number; // UDP, of both sides
  readonly vni: number;
}

/** One peer, whose allowed IPs are all addresses. Keys are in base64. */
interface WireguardPeering {
  readonly kind: 'wireguard';
  readonly localPort: number; // UDP, bound when the device goes up
  readonly remote: string;
  readonly remotePort: number;
  readonly publicKey: string; // of the peer
}

export interface WireguardParameters extends WireguardPeering {
  readonly privateKey: string;
}

/** The private key is never read back. */
export interface WireguardState extends WireguardPeering {
  readonly ownPublicKey: string;
  readonly handshake: number;
}

export interface VxlanState extends VxlanParameters {
  readonly handshake?: undefined;
}

export type TunnelParameters = VxlanParameters | WireguardParameters;
export type TunnelKind = TunnelParameters['kind'];

/** The state of a device as createTunnel() makes it. `handshake` is the time of the last handshake in seconds since 1970, or
 *  0 if there was none; absent for kinds without handshakes. */
export type TunnelState = VxlanState | WireguardState;

export interface TunnelRequest {
  readonly netns: string;
  readonly name: string;
  readonly alias: string;
  readonly mac: string; // '' for a tunnel of IP packets
  readonly mtu: number;
  readonly tunnel: TunnelParameters;
}
