// SPDX-License-Identifier: Apache-2.0
// The shape of a wire document. It serves YAML files, the control API's JSON and the OpenAPI description alike.

import { z } from 'zod';
import { apiVersion, defaults, kind, limits } from './limits.ts';
import * as checks from './value-checks.ts';

const text = (check: checks.Check, description: string) =>
  z
    .string()
    .check((context) => {
      const complaint = check(context.value);
      if (complaint === undefined) return;
      const { reason, hint } = complaint;
      context.issues.push({ code: 'custom', message: reason, params: { hint }, input: context.value });
    })
    .meta({ description });

const whole = (least: number, most: number, description: string) => z.int().min(least).max(most).meta({ description });
const list = <Item extends z.ZodType>(item: Item, description: string) =>
  z.array(item).max(limits.addresses).default([]).meta({ description });

const inode = (what: string) =>
  whole(
    1,
    Number.MAX_SAFE_INTEGER,
    `${what}, by the inode that \`ls -Li\` prints; netns beside it says where to look first`,
  );

const route = z.strictObject({
  to: text(checks.destination, 'the network, as address/prefix; 0.0.0.0/0 and ::/0 are default routes'),
  via: text(checks.ipAddress, 'the gateway, of the same family; without it the network is on the link').optional(),
});

const neighbour = z.strictObject({
  address: text(checks.ipAddress, 'an IP address on the link'),
  mac: text(checks.macAddress, 'the MAC address that answers for it'),
});

const policy = z.strictObject({
  from: text(checks.destination, 'the network that packets come from, as address/prefix').optional(),
  protocol: whole(1, 255, 'the number of their IP protocol: 6 is TCP, 17 is UDP').optional(),
  destinationPorts: text(checks.ports, 'the port they go to, or a range: 80-90').optional(),
  sourcePorts: text(checks.ports, 'the port they come from, or a range').optional(),
  routes: z
    .array(route)
    .min(1)
    .max(limits.addresses)
    .meta({ description: 'routes through the interface, for them alone' }),
});

const device = z
  .strictObject({
    pci: text(checks.pciAddress, 'the virtual function, by its PCI address').optional(),
    resource: text(
      checks.resourceName,
      'any free one of a resource of the SR-IOV file: serviceDomain/capability',
    ).optional(),
    vlan: whole(0, limits.vlan, 'the VLAN that the NIC puts its frames into; 0: none').optional(),
    trust: z.boolean().optional().meta({ description: 'whether its user may change its MAC and hear everything' }),
    spoofCheck: z.boolean().optional().meta({ description: 'whether frames with another source MAC are dropped' }),
    maxRate: whole(0, limits.rate, 'the most it may send, in Mbit/s; 0: no limit').optional(),
  })
  .meta({
    description: 'a virtual function of a NIC (SR-IOV): one of pci and resource; what is absent stays as it is',
  });

const kernel = z
  .strictObject({
    netns: text(checks.absolutePath, 'the network namespace, by path').optional(),
    pid: whole(1, limits.pid, 'the network namespace, by a process in it').optional(),
    inode: inode('the network namespace').optional(),
    interface: text(checks.interfaceName, `the interface's name there, at most ${limits.interfaceLength} bytes`),
    mac: text(checks.macAddress, 'its MAC address; made up if absent').optional(),
    addresses: list(text(checks.interfaceAddress, 'address/prefix'), 'its IP addresses, as address/prefix'),
    routes: list(route, 'routes through it'),
    neighbours: list(neighbour, 'permanent neighbours on it'),
    policies: list(policy, 'policy routing: what goes by routes of its own, before all others'),
    allowPing: z
      .boolean()
      .default(false)
      .meta({ description: 'let everybody in the namespace ping, and enable IPv6 on the interface' }),
    device: device.optional(),
  })
  .meta({ description: 'an interface in a network namespace: one of netns, pid and inode' });

const memif = z
  .strictObject({
    socket: text(checks.socketAddress, "the control socket: an absolute path, or '@name' for an abstract one"),
    netns: text(checks.absolutePath, 'where an abstract socket lives; absent: where the forwarder runs').optional(),
    inode: inode('where an abstract socket lives').optional(),
    role: z.enum(['server', 'client']).meta({ description: 'server: the forwarder listens; client: it connects' }),
    id: whole(0, limits.memifId, 'the id of the interface on that socket').default(defaults.memif.id),
    secret: text(checks.memifSecret, `at most ${limits.secretLength} bytes, compared when connecting`).optional(),
    rings: whole(1, limits.rings, 'rings in each direction').default(defaults.memif.rings),
    ringSize: whole(limits.ringSize.least, limits.ringSize.most, 'descriptors of a ring, a power of two')
      .check((context) => {
        if (!Number.isInteger(Math.log2(context.value)))
          context.issues.push({ code: 'custom', message: `${context.value} is no power of two`, input: context.value });
      })
      .default(defaults.memif.ringSize),
    bufferSize: whole(limits.bufferSize.least, limits.bufferSize.most, 'bytes of a buffer').default(
      defaults.memif.bufferSize,
    ),
    allowUnsealed: z
      .boolean()
      .default(defaults.memif.allowUnsealed)
      .meta({ description: 'accept shared memory that its owner can still shrink (old peers)' }),
    mac: text(
      checks.macAddress,
      "the application's MAC address: required opposite a virtual function or a vlan, which deliver by it",
    ).optional(),
  })
  .meta({ description: 'a shared-memory interface, as VPP and DPDK speak it' });

const vxlan = z
  .strictObject({
    local: text(checks.tunnelAddress, "this node's address, that the tunnel sends from"),
    remote: text(checks.tunnelAddress, "the other node's address, of the same family"),
    port: whole(1, 0xffff, 'the UDP port of both nodes').default(defaults.vxlan.port),
    vni: whole(1, limits.vni, 'the VXLAN network identifier, the same at both nodes'),
  })
  .meta({ description: 'a VXLAN tunnel (RFC 7348) to another node, for Ethernet frames' });

const vlan = z
  .strictObject({
    device: text(checks.interfaceName, 'the device of the host, by name, where the forwarder runs'),
    id: whole(0, limits.vlan, 'the VLAN identifier (IEEE 802.1Q); 0: frames without a tag'),
  })
  .meta({ description: 'the network behind a device of the host, for Ethernet frames' });

const vfio = z
  .strictObject({
    device,
    mac: text(checks.macAddress, 'its MAC address; made up if absent').optional(),
    cgroup: text(
      checks.absolutePath,
      'the directory of the control group that may open it, or of the one above with /* behind it',
    ).optional(),
  })
  .meta({ description: 'a virtual function for an application that drives it itself, by VFIO' });

const wireguard = z
  .strictObject({
    localPort: whole(1, 0xffff, 'the UDP port of this node, for this wire alone').default(defaults.wireguard.port),
    remote: text(checks.tunnelAddress, "the other node's address"),
    remotePort: whole(1, 0xffff, 'its UDP port').default(defaults.wireguard.port),
    privateKey: text(checks.wireguardKey, 'the private key of this node, in base64; never shown again'),
    publicKey: text(checks.wireguardKey, 'the public key of the other node, in base64'),
  })
  .meta({ description: 'a WireGuard tunnel to another node, for IP packets' });

const end = z
  .strictObject({
    kernel: kernel.optional(),
    memif: memif.optional(),
    vxlan: vxlan.optional(),
    vlan: vlan.optional(),
    vfio: vfio.optional(),
    wireguard: wireguard.optional(),
    pod: text(checks.plainText, 'the pod at this end, for metrics').optional(),
    namespace: text(checks.plainText, "the pod's Kubernetes namespace, for metrics").optional(),
  })
  .meta({ description: 'one end: exactly one of kernel, memif, vxlan, vlan, vfio and wireguard' });

export const wireSchema = z
  .strictObject({
    apiVersion: z.literal(apiVersion),
    kind: z.literal(kind),
    metadata: z.strictObject({
      name: text(checks.wireName, `unique on this forwarder, at most ${limits.nameLength} bytes`),
      labels: z
        .record(z.string(), z.string())
        .default({})
        .meta({ description: 'words of your own, shown by describe' }),
    }),
    spec: z.strictObject({
      networkService: text(checks.plainText, 'the network service that this wire is part of').optional(),
      payload: z
        .enum(['ethernet', 'ip'])
        .default(defaults.payload)
        .meta({ description: 'ethernet frames, or IP packets without a link layer' }),
      mtu: whole(limits.mtu.least, limits.mtu.most, 'bytes of the longest IP packet').optional(),
      direct: z.boolean().default(false).meta({
        description: 'memif at both ends: the two applications share the memory themselves; nothing is counted',
      }),
      client: end,
      endpoint: end,
    }),
  })
  .meta({ description: 'A virtual wire between two ends' });

export type WireDocument = z.output<typeof wireSchema>;
export type KernelDocument = z.output<typeof kernel>;
export type MemifDocument = z.output<typeof memif>;
export type VxlanDocument = z.output<typeof vxlan>;
export type VlanDocument = z.output<typeof vlan>;
export type VfioDocument = z.output<typeof vfio>;
export type WireguardDocument = z.output<typeof wireguard>;
export type EndDocument = z.output<typeof end>;

/** JSON Schema (2020-12) of what one may write; keys with a default may be left out. */
export const wireJsonSchema = z.toJSONSchema(wireSchema, { io: 'input' }) as JsonSchema;

export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly [keyword: string]: unknown;
}
