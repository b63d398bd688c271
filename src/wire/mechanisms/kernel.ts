// SPDX-License-Identifier: Apache-2.0
// Kernel: an interface in a network namespace. Its kind depends on the other end: a side of a veth pair, a tap, the device
// of a tunnel, a part of a host device, or a virtual function.

import { z } from 'zod';
import type { NamespaceReference } from '../../model/wire.ts';
import { parseNetwork } from '../values/addresses.ts';
import { address, filled, flag, inode, list, mac, text, whole } from '../values/fields.ts';
import { type Frozen, omit, tidy } from '../values/frozen.ts';
import { limits } from '../values/limits.ts';
import { invalid, type Problem } from '../values/problems.ts';
import * as checks from '../values/value-checks.ts';
import { repeatedProblems, routeProblems } from './kernel-rules.ts';
import { mechanism, type MechanismKind, type WrittenEnd, type WrittenWire } from './mechanism.ts';
import { deviceProblems, requestOf, virtualFunction, wiredFunction } from './virtual-function.ts';

const mostPid = 4_194_304; // PID_MAX_LIMIT
const netns = text(checks.absolutePath, 'the namespace, by path; one of netns, pid and inode is required');
const pid = whole(1, mostPid, 'the namespace, by a process in it');
const namespaceInode = inode('the namespace');

const route = z.strictObject({
  to: address(checks.destination, 'the network, as address/prefix; 0.0.0.0/0 and ::/0 are default routes'),
  via: address(checks.ipAddress, 'the gateway, of the same family; without it the network is on the link').optional(),
});

const neighbour = z.strictObject({
  address: address(checks.ipAddress, 'an IP address on the link'),
  mac: mac('the MAC address that answers for it'),
});

const ports = (description: string) => text(checks.ports, description).overwrite(canonicalPorts).meta({ description });

/** Packets that match everything given use a routing table of their own. */
const policy = z.strictObject({
  from: address(checks.destination, 'the network that packets come from, as address/prefix').optional(),
  protocol: whole(1, 255, 'the number of their IP protocol: 6 is TCP, 17 is UDP').optional(),
  destinationPorts: ports('the port they go to, or a range: 80-90').optional(),
  sourcePorts: ports('the port they come from, or a range').optional(),
  routes: z
    .array(route)
    .min(1)
    .max(limits.addresses)
    .meta({ description: 'routes through the interface, for them alone' }),
});

const shared = {
  interface: text(checks.interfaceName, `name of the interface, at most ${limits.interfaceLength} bytes`),
  mac: mac('its MAC address; by default derived from node and wire, so that it is the same after a restart').optional(),
  addresses: list(
    address(checks.interfaceAddress, 'address/prefix'),
    'list of `address/prefix`, IPv4 and IPv6; IPv6 addresses work at once (no duplicate address detection)',
  ),
  routes: list(route, 'list of `{ to: address/prefix, via: gateway }`; `0.0.0.0/0` and `::/0` are default routes'),
  neighbours: list(neighbour, 'list of permanent `{ address, mac }`'),
};
const policies = list(
  policy,
  'policy routing: list of `{ from, protocol, destinationPorts, sourcePorts, routes }`. `from` is a network, `protocol` a number such as 6 for TCP, ports are `80` or `80-90`. Packets that match everything given use these routes, which are in a table of their own and come before the main table; the first policy that matches counts',
);
const allowPing = flag(
  'lets every user in the namespace ping (`net.ipv4.ping_group_range`) and enables IPv6 on the interface; both stay after the wire is removed',
);

const document = z
  .strictObject({
    netns: netns.optional(),
    pid: pid.optional(),
    inode: namespaceInode.optional(),
    ...shared,
    policies,
    allowPing: allowPing.default(false),
    device: virtualFunction.optional(),
  })
  .meta({ description: 'an interface in a network namespace: one of netns, pid and inode' });

const wired = z.strictObject({
  type: z.literal('kernel'),
  namespace: z.union([
    z.strictObject({ netns }),
    z.strictObject({ pid }),
    z.strictObject({ inode: namespaceInode, netns: netns.optional() }),
  ]) satisfies z.ZodType<NamespaceReference>,
  ...filled(shared),
  policies: policies.unwrap().optional(),
  allowPing: allowPing.optional(),
  device: wiredFunction.optional(),
});
export type KernelMechanism = Frozen<z.output<typeof wired>>;
export type Route = Frozen<z.output<typeof route>>;
export type Neighbour = Frozen<z.output<typeof neighbour>>;
export type Policy = Frozen<z.output<typeof policy>>;

export const kernel = mechanism<typeof document, typeof wired>({
  type: 'kernel',
  document,
  wired,
  toWired,
  toDocument: ({ namespace, policies: kept = [], allowPing: ping = false, ...wanted }) => ({
    ...namespace,
    ...omit(wanted, 'type'),
    policies: kept,
    allowPing: ping,
  }),
  problems: (own, wire) => [
    ...namespaceProblems(own),
    ...routeProblems(own),
    ...repeatedProblems(own),
    ...mtuProblems(own, wire),
    ...macProblems(own, wire),
    ...deviceProblems(own, wire),
  ],
  reach: { at: 'interface' },
  namespace: ({ namespace }) => namespace,
  device: ({ device }) => device,
  claims: ({ interface: name }, { key, words }) => {
    const identity = JSON.stringify(['interface', ...key, name]);
    const what = `interface ${name} in ${words}`;
    return [{ key: identity, identity, code: 'INTERFACE_CLAIMED', noun: 'interface', what }];
  },
  parameters: {
    namespace: 'identity',
    interface: 'mutable',
    mac: 'mutable',
    addresses: 'mutable',
    routes: 'mutable',
    neighbours: 'mutable',
    policies: 'mutable',
    allowPing: 'mutable',
    device: 'identity', // its MAC too: the physical function sets it before a driver sees the device
  },
  secrets: [],
  interfaces: {
    veth: { made: 'pair', isLayerless: false },
    tap: { made: 'tap', isLayerless: false },
    tun: { made: 'tap', isLayerless: true },
    vf: { made: 'lent', isLayerless: false },
  },
  drops: {
    ingress: ['bad_checksum', 'bad_offload'], // what a virtio-net header can ask for
    egress: ['io_error'],
    kernel: ['kernel_queue'],
  },
  describe: ({ addresses }) => ({ addresses: [['Addresses:', addresses.join(', ') || undefined]] }),
});

function toWired(written: z.output<typeof document>): z.output<typeof wired> {
  const { netns: path, pid: process, inode: number, policies: kept, allowPing: ping, device, ...rest } = written;
  return tidy({
    type: 'kernel',
    namespace: tidy({ netns: path, pid: process, inode: number }) as z.output<typeof wired>['namespace'],
    ...rest,
    policies: kept.length > 0 ? kept : undefined,
    allowPing: ping || undefined,
    device: device && requestOf(device),
  });
}

function canonicalPorts(value: string): string {
  const [first, last = first] = value.split('-').map(Number);
  return first === last ? `${first}` : `${first}-${last}`;
}

function namespaceProblems({ path, value }: WrittenEnd): Problem[] {
  const given = ['netns', 'pid', 'inode'].filter((key) => value[key] !== undefined);
  if (given.length === 0) {
    const reason = 'no network namespace';
    return [{ code: 'KEY_MISSING', path, at: 'key', reason, hint: 'give netns, pid or inode' }];
  }
  const together = given.length === 2 && given.includes('netns') && given.includes('inode');
  return (together ? [] : given.slice(1)).map((key) =>
    invalid([...path, key], 'key', `names a second network namespace beside ${given[0]}`, 'keep one'),
  );
}

function mtuProblems({ value: { addresses } }: WrittenEnd, { mtu }: WrittenWire): Problem[] {
  const { least, leastWithIPv6 } = limits.mtu;
  if (mtu === undefined || mtu >= leastWithIPv6 || mtu < least || !Array.isArray(addresses)) return [];
  if (!addresses.some((one) => parseNetwork(String(one))?.address.family === 6)) return [];
  return [invalid(['spec', 'mtu'], 'value', `IPv6 needs an MTU of at least ${leastWithIPv6}, not ${mtu}`)];
}

/** Opposite some mechanisms, the interface of a wire with payload ip has no link layer. */
function macProblems({ name, path, value }: WrittenEnd, { payload, opposite }: WrittenWire): Problem[] {
  const other = opposite(name);
  if (payload !== 'ip' || value['mac'] === undefined || !other || !isLayerless(other.kind)) return [];
  const reason = `an interface of payload ip opposite a ${other.kind.type} end has no MAC address`;
  return [invalid([...path, 'mac'], 'key', reason, 'leave it out')];
}

function isLayerless({ reach, interfaces }: MechanismKind): boolean {
  return reach.at === 'memory' || Object.values(interfaces).some((one) => one.isLayerless);
}
