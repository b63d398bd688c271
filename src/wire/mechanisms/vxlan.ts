// SPDX-License-Identifier: Apache-2.0
// VXLAN (RFC 7348): an end at another node, behind a tunnel of Ethernet frames.

import { z } from 'zod';
import { parseAddress } from '../values/addresses.ts';
import { address, filled, port, whole } from '../values/fields.ts';
import { type Frozen, omit } from '../values/frozen.ts';
import { invalid, type Problem } from '../values/problems.ts';
import { tunnelAddress } from '../values/value-checks.ts';
import { tunnel, type TunnelOf, type WrittenEnd } from './mechanism.ts';
import { familyOf, mtuProblems } from './tunnels.ts';

const defaultPort = 4789; // RFC 7348, section 8

const document = z
  .strictObject({
    local: address(tunnelAddress, 'address of this node, IPv4 or IPv6, from which the tunnel sends'),
    remote: address(tunnelAddress, 'address of the other node, of the same family; not link-local'),
    port: port('the UDP port of both nodes').default(defaultPort),
    vni: whole(1, 0xff_ffff, 'the network identifier of both nodes, 1 to 16777215'), // RFC 7348, section 5
  })
  .meta({ description: 'a VXLAN tunnel (RFC 7348) to another node, for Ethernet frames' });

const wired = z.strictObject({ type: z.literal('vxlan'), ...filled(document.shape) });
export type VxlanMechanism = Frozen<z.output<typeof wired>>;
type Tunnel = TunnelOf<VxlanMechanism>;

const longest = { 4: 65_485, 6: 65_465 } as const; // 65535 less outer IP, UDP, VXLAN and an Ethernet header (net/vxlan.h)

export const vxlan = tunnel<typeof document, typeof wired>({
  type: 'vxlan',
  document,
  wired,
  toWired: (written) => ({ type: 'vxlan', ...written }),
  toDocument: (wanted) => omit(wanted, 'type'),
  problems: (own, wire) => [...familyProblems(own), ...mtuProblems(own, wire, longest)],
  reach: {
    at: 'tunnel',
    carries: { payload: 'ethernet', words: 'VXLAN carries Ethernet frames' },
    name: 'VXLAN',
    overhead: { 4: 54, 6: 74 }, // outer IP, UDP, VXLAN, Ethernet with a VLAN tag (RFC 7348, section 5)
    longest,
    portOption: {
      environment: 'NSM_VXLAN_PORT',
      default: defaultPort,
      zeroIsDefault: true,
      meaning: 'UDP port of VXLAN tunnels, the same on every node',
    },
    sessionSeconds: undefined, // the kernel does not know whether the other node is there
    key: keyOf,
    isFound: (found, known) =>
      keyOf(found) === keyOf(known) && found.local === known.local && found.remote === known.remote,
    why: ({ local, remote, port: udp, vni }) =>
      `The kernel wraps its frames in VXLAN ${vni} from ${local} to ${remote}, UDP port ${udp}.`,
    way: ({ local, remote, port: udp, vni }) => `from ${local} to ${remote}, port ${udp}, VNI ${vni}`,
    detail: ({ local, remote, port: udp, vni }) => `VXLAN ${vni} from ${local} to ${remote}, UDP port ${udp}`,
  },
  namespace: () => undefined,
  device: () => undefined,
  claims: (mechanism) => {
    const key = keyOf({ kind: 'vxlan', ...mechanism });
    const what = `tunnel of VNI ${mechanism.vni}, UDP port ${mechanism.port}`;
    return [{ key, identity: key, code: 'TUNNEL_CLAIMED', noun: 'tunnel', what }];
  },
  parameters: { local: 'identity', remote: 'identity', port: 'identity', vni: 'identity' },
  secrets: [],
  interfaces: { vxlan: { made: 'tunnel', isLayerless: false } },
  drops: { ingress: ['bad_checksum', 'bad_offload'], egress: ['io_error'], kernel: ['tunnel_error'] },
  describe: ({ local, port: udp, vni }) => ({ beyond: [['Tunnel:', `from ${local}, UDP port ${udp}, VNI ${vni}`]] }),
});

/** The kernel allows one device for a VNI at a port of a family, whatever its remote (drivers/net/vxlan/vxlan_core.c,
 *  vxlan_vni_in_use). */
function keyOf(one: Tunnel): string {
  return JSON.stringify(['vxlan', familyOf(one.remote), one.port, one.vni]);
}

function familyProblems({ path, value }: WrittenEnd): Problem[] {
  const [local, remote] = [parseAddress(String(value['local'])), parseAddress(String(value['remote']))];
  if (!local || !remote) return [];
  const at = [...path, 'remote'];
  if (local.family !== remote.family) {
    const reason = `an IPv${remote.family} address, but the local one is of IPv${local.family}`;
    return [invalid(at, 'value', reason)];
  }
  if (local.text !== remote.text) return [];
  return [invalid(at, 'value', `${remote.text} is the local address, too: the tunnel would lead to itself`)];
}
