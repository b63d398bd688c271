// SPDX-License-Identifier: Apache-2.0
// WireGuard: an end at another node, behind an encrypted tunnel of IP packets. The kernel sends from the address that its
// route to the remote gives, and listens on all: there is no local one to choose. Keys are 32 bytes in base64.

import { createPrivateKey, createPublicKey } from 'node:crypto';
import { z } from 'zod';
import { address, filled, port, text } from '../values/fields.ts';
import { type Frozen, omit } from '../values/frozen.ts';
import { invalid, type Problem } from '../values/problems.ts';
import { type Check, tunnelAddress } from '../values/value-checks.ts';
import { tunnel, type TunnelOf, type WrittenEnd } from './mechanism.ts';
import { mtuProblems } from './tunnels.ts';

const defaultPort = 51_820; // what wg(8) shows, and NSM's forwarders use

/** The text is never shown: it may be a private key. */
const isKey: Check = (value) => {
  const key = Buffer.from(value, 'base64');
  if (key.length === 32 && key.toString('base64') === value) return undefined;
  return { reason: 'is no key: 32 bytes in base64, 44 letters', hint: 'as wg genkey and wg pubkey print them' };
};

const document = z
  .strictObject({
    localPort: port('UDP port of this node, for this wire alone').default(defaultPort),
    remote: address(tunnelAddress, 'address of the other node, IPv4 or IPv6; not link-local'),
    remotePort: port('UDP port of the other node').default(defaultPort),
    privateKey: text(isKey, 'key of this node, as `wg genkey` prints it; never shown'),
    publicKey: text(isKey, 'key of the other node, as `wg pubkey` prints it'),
  })
  .meta({ description: 'a WireGuard tunnel to another node, for IP packets' });

const wired = z.strictObject({
  type: z.literal('wireguard'),
  ...filled(document.shape),
  /** Follows from the private key, and identifies a device that is found. */
  ownPublicKey: z.string(),
});
export type WireguardMechanism = Frozen<z.output<typeof wired>>;
type Tunnel = TunnelOf<WireguardMechanism>;

const longest = { 4: 65_475, 6: 65_455 } as const; // 65535 less outer IP, UDP, WireGuard's header and tag

/** The age at which a session carries nothing more (drivers/net/wireguard/messages.h, REJECT_AFTER_TIME). With a keepalive
 *  every ten seconds, both sides renew theirs earlier. */
const sessionSeconds = 180;

export const wireguard = tunnel<typeof document, typeof wired>({
  type: 'wireguard',
  document,
  wired,
  toWired: (written) => ({
    type: 'wireguard',
    ...written,
    ownPublicKey: publicKeyOf(written.privateKey) as string,
  }),
  toDocument: (wanted) => omit(wanted, 'type', 'ownPublicKey'),
  problems: (own, wire) => [...keyProblems(own), ...mtuProblems(own, wire, longest)],
  reach: {
    at: 'tunnel',
    carries: { payload: 'ip', words: 'WireGuard carries IP packets' },
    name: 'WireGuard',
    overhead: { 4: 60, 6: 80 }, // outer IP, UDP, header, tag of the cipher (wireguard.com/papers/wireguard.pdf, 5.4.6)
    longest,
    portOption: {
      environment: 'CROSSWIRE_WIREGUARD_PORT',
      default: defaultPort,
      zeroIsDefault: false,
      meaning: 'first UDP port of WireGuard tunnels; each connection takes the next free one',
    },
    sessionSeconds,
    key: keyOf,
    isFound: (found, known) =>
      keyOf(found) === keyOf(known) && found.ownPublicKey === known.ownPublicKey && found.publicKey === known.publicKey,
    why: ({ localPort, remote, remotePort }) =>
      `The kernel encrypts its packets and sends them in UDP from port ${localPort} to ${remote}, port ${remotePort}.`,
    way: ({ localPort, remote, remotePort }) => `of WireGuard from port ${localPort} to ${remote}, port ${remotePort}`,
    detail: ({ localPort, remote, remotePort }) =>
      `WireGuard from UDP port ${localPort} to ${remote}, port ${remotePort}`,
  },
  namespace: () => undefined,
  device: () => undefined,
  claims: (mechanism) => {
    const key = keyOf({ kind: 'wireguard', ...mechanism });
    const what = `tunnel of WireGuard at UDP port ${mechanism.localPort}`;
    return [{ key, identity: key, code: 'TUNNEL_CLAIMED', noun: 'tunnel', what }];
  },
  parameters: {
    localPort: 'identity',
    remote: 'identity',
    remotePort: 'identity',
    privateKey: 'label', // ownPublicKey is its identity
    ownPublicKey: 'identity',
    publicKey: 'identity',
  },
  secrets: ['privateKey'],
  interfaces: { wireguard: { made: 'tunnel', isLayerless: true } },
  drops: { ingress: ['bad_checksum', 'bad_offload'], egress: ['io_error'], kernel: ['tunnel_error'] },
  describe: ({ localPort, remotePort, ownPublicKey, publicKey }) => ({
    beyond: [
      ['Tunnel:', `from UDP port ${localPort} to port ${remotePort}`],
      ['Public key:', ownPublicKey],
      ["Peer's public key:", publicKey],
    ],
  }),
});

/** The kernel binds a UDP port once, for both families (drivers/net/wireguard/socket.c, wg_socket_init). */
function keyOf({ localPort }: Tunnel): string {
  return JSON.stringify(['wireguard', localPort]);
}

/** The kernel silently leaves out a peer with the device's own key (drivers/net/wireguard/netlink.c, set_peer). */
function keyProblems({ path, value }: WrittenEnd): Problem[] {
  const own = publicKeyOf(value['privateKey']);
  if (own === undefined || own !== value['publicKey']) return [];
  const reason = 'this is the public key of the private key beside it: the tunnel would lead to itself';
  return [invalid([...path, 'publicKey'], 'value', reason, 'write the public key of the other node')];
}

/** A PKCS #8 document with an X25519 key (RFC 8410), before its 32 bytes. */
const head = Buffer.from('302e020100300506032b656e04220420', 'hex');

/** X25519 (RFC 7748), in base64; undefined where there is no private key. */
export function publicKeyOf(privateKey: unknown): string | undefined {
  if (typeof privateKey !== 'string' || isKey(privateKey)) return undefined;
  const key = Buffer.concat([head, Buffer.from(privateKey, 'base64')]);
  const open = createPublicKey(createPrivateKey({ key, format: 'der', type: 'pkcs8' }));
  return Buffer.from(open.export({ format: 'jwk' }).x as string, 'base64url').toString('base64');
}
