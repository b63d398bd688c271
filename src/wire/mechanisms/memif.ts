// SPDX-License-Identifier: Apache-2.0
// memif: an application that shares memory with the engine, as VPP and DPDK do. Opposite a virtual function or a host
// device the engine has an interface of its own, the port (docs/decisions/017-engine-ports.md).

import { z } from 'zod';
import type { NamespaceReference } from '../../model/wire.ts';
import { filled, flag, inode, mac, text, whole } from '../values/fields.ts';
import { type Frozen, omit } from '../values/frozen.ts';
import { invalid, type KeyPath, type Problem } from '../values/problems.ts';
import { absolutePath, type Check } from '../values/value-checks.ts';
import { mechanism, type Place, type WrittenEnd, type WrittenWire } from './mechanism.ts';
import { writtenDevice } from './virtual-function.ts';

const limits = {
  id: 0xffff_ffff,
  socketLength: 107, // sockaddr_un.sun_path less its NUL
  secretLength: 23, // 24 bytes less the NUL that every implementation sends
  rings: 64,
  ringSize: { least: 2, most: 16_384 }, // log2 at most 14: VPP and DPDK lay memory out wrongly beyond
  bufferSize: { least: 64, most: 65_535 },
  clientBuffers: 65_536, // VPP and DPDK number all buffers of a client with 16 bits
} as const;
const defaults = { rings: 1, ringSize: 1024 } as const;

/** unix(7): sun_path has 108 bytes; a path ends with NUL, an abstract name begins with one. */
const isSocket: Check = (value) => {
  if (value === '@') return { reason: "an abstract socket needs a name behind '@'" };
  if (!value.startsWith('/') && !value.startsWith('@'))
    return { reason: `${quoted(value)} is no socket`, hint: "an absolute path, or '@name' for an abstract socket" };
  if (value.includes('\0')) return { reason: 'holds a NUL byte' };
  if (Buffer.byteLength(value) <= limits.socketLength) return undefined;
  return {
    reason: `the socket's name has ${Buffer.byteLength(value)} bytes; the kernel takes at most ${limits.socketLength}`,
    hint: 'use a shorter directory, or an abstract socket',
  };
};

const isSecret: Check = (value) => {
  if (value === '') return { reason: 'is empty', hint: 'leave it out for none' };
  if (value.includes('\0')) return { reason: 'holds a NUL byte' };
  if (Buffer.byteLength(value) <= limits.secretLength) return undefined;
  return { reason: `has ${Buffer.byteLength(value)} bytes; memif carries at most ${limits.secretLength}` };
};

const ringSize = whole(
  limits.ringSize.least,
  limits.ringSize.most,
  `descriptors of a ring, a power of two up to ${limits.ringSize.most} (as client)`,
).check((context) => {
  if (!Number.isInteger(Math.log2(context.value)))
    context.issues.push({ code: 'custom', message: `${context.value} is no power of two`, input: context.value });
});

const document = z
  .strictObject({
    socket: text(isSocket, `absolute path, at most ${limits.socketLength} bytes, or \`@name\` for an abstract socket`),
    netns: text(
      absolutePath,
      "the namespace of an abstract socket, by path; by default the forwarder's own",
    ).optional(),
    inode: inode('the namespace of an abstract socket').optional(),
    role: z
      .enum(['server', 'client'])
      .meta({ description: '`server`: the forwarder listens; `client`: it connects, and tries again forever' }),
    id: whole(0, limits.id, 'id of the interface on that socket; several wires may share a server socket').default(0),
    secret: text(isSecret, `at most ${limits.secretLength} bytes; never shown; by default none`).optional(),
    rings: whole(
      1,
      limits.rings,
      'rings in each direction, at most 16 (as client); as server, a client may open up to 16, whatever is given',
    ).default(defaults.rings),
    ringSize: ringSize.default(defaults.ringSize),
    bufferSize: whole(
      limits.bufferSize.least,
      limits.bufferSize.most,
      'bytes of a buffer (as client); longer frames are chained',
    ).default(2048),
    allowUnsealed: flag('accept memory that its owner can still shrink: zero-copy DPDK, hugepages').default(false),
    mac: mac(
      "the application's MAC address: required opposite a virtual function or a vlan end, refused elsewhere",
    ).optional(),
  })
  .meta({ description: 'a shared-memory interface, as VPP and DPDK speak it' });

const wired = z.strictObject({ type: z.literal('memif'), ...filled(document.shape) });
export type MemifMechanism = Frozen<z.output<typeof wired>>;

export const memif = mechanism<typeof document, typeof wired>({
  type: 'memif',
  document,
  wired,
  toWired: (written) => ({ type: 'memif', ...written }),
  toDocument: (wanted) => omit(wanted, 'type'),
  problems: (own, wire) => [...placeProblems(own), ...bufferProblems(own), ...portProblems(own, wire)],
  reach: { at: 'memory' },
  namespace: ({ netns, inode: number }): NamespaceReference | undefined => {
    if (number !== undefined) return netns === undefined ? { inode: number } : { inode: number, netns };
    return netns === undefined ? undefined : { netns };
  },
  device: () => undefined,
  /** One wire may be the server of an id and another one its client: a chain within this forwarder. */
  claims: ({ socket, id, role }, place) => {
    const identity = listenerKey(place, socket, id);
    const what = `memif ${role} ${socket} id ${id}`;
    return [{ key: `${identity}${role}`, identity, code: 'MEMIF_CLAIMED', noun: 'memif', what }];
  },
  parameters: {
    socket: 'identity',
    netns: 'label', // the namespace that it means is the identity
    inode: 'label',
    role: 'identity',
    id: 'identity',
    secret: 'identity',
    rings: 'identity',
    ringSize: 'identity',
    bufferSize: 'identity',
    allowUnsealed: 'identity',
    mac: 'label', // the port's
  },
  secrets: ['secret'],
  interfaces: {},
  drops: { ingress: ['bad_desc', 'bad_index'], egress: [], kernel: [] }, // what shared memory can hold
  describe: ({ role, id }) => ({ role: [['Role and id:', `${role}, ${id}`]] }),
});

/** An id on a listening socket. */
export function listenerKey({ key }: Pick<Place, 'key'>, socket: string, id: number): string {
  return JSON.stringify(['memif', ...key, socket, id]);
}

function placeProblems({ path, value }: WrittenEnd): Problem[] {
  const { socket } = value;
  const placed = typeof socket === 'string' && !socket.startsWith('@') ? (['netns', 'inode'] as const) : [];
  return placed
    .filter((key) => value[key] !== undefined)
    .map((key) =>
      invalid(
        [...path, key],
        'key',
        'only an abstract socket lives in a network namespace',
        `write the socket as '@name', or leave ${key} out`,
      ),
    );
}

function bufferProblems({ path, value }: WrittenEnd): Problem[] {
  const [rings, size] = [Number(value['rings'] ?? defaults.rings), Number(value['ringSize'] ?? defaults.ringSize)];
  const buffers = 2 * rings * size;
  const withinBounds = rings <= limits.rings && size <= limits.ringSize.most;
  if (value['role'] !== 'client' || !withinBounds || buffers <= limits.clientBuffers) return [];
  const reason = `${buffers} buffers in both directions; peers number at most ${limits.clientBuffers}`;
  return [invalid([...path, 'rings'], 'value', reason, 'use fewer rings, or a smaller ringSize')];
}

function portProblems({ name, path, value }: WrittenEnd, { opposite, payload }: WrittenWire): Problem[] {
  const other = opposite(name);
  const deliverer = other && delivererOf(other);
  return deliverer
    ? [...macProblems(path, value, deliverer), ...(other.kind.reach.at === 'network' ? [] : payloadProblems(payload))]
    : strayMac(path, value);
}

/** The name of an end that delivers frames by their MAC address. */
function delivererOf(other: WrittenEnd): string | undefined {
  if (other.kind.reach.at === 'network') return other.kind.type;
  return writtenDevice(other) || other.kind.reach.at === 'device' ? 'virtual function' : undefined;
}

function macProblems(path: KeyPath, value: WrittenEnd['value'], opposite: string): Problem[] {
  if (value['mac'] !== undefined) return [];
  const reason = `opposite a ${opposite} end, only frames to a known MAC address come here`;
  const hint = 'give mac, the address that the application has';
  return [{ code: 'KEY_MISSING', path, at: 'key', reason, hint }];
}

/** Ends behind a host device have this rule themselves. */
function payloadProblems(payload: WrittenWire['payload']): Problem[] {
  if (payload !== 'ip') return [];
  const reason = 'a NIC carries Ethernet frames, and memif with payload ip has none';
  return [invalid(['spec', 'payload'], 'value', reason, 'make the payload ethernet')];
}

function strayMac(path: KeyPath, value: WrittenEnd['value']): Problem[] {
  if (value['mac'] === undefined) return [];
  const reason = 'nothing looks at it: the other end is neither a virtual function nor a vlan';
  return [invalid([...path, 'mac'], 'key', reason, 'leave it out')];
}

function quoted(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}...` : value);
}
