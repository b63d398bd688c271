// SPDX-License-Identifier: Apache-2.0
// VLAN: an end in the network behind a host device (IEEE 802.1Q). Many wires may share the device and the identifier, and
// none reaches another.

import { z } from 'zod';
import { filled, text, whole } from '../values/fields.ts';
import { type Frozen, omit } from '../values/frozen.ts';
import { limits } from '../values/limits.ts';
import { invalid, type Problem } from '../values/problems.ts';
import { interfaceName } from '../values/value-checks.ts';
import { mechanism, type WrittenEnd, type WrittenWire } from './mechanism.ts';
import { writtenDevice } from './virtual-function.ts';

const document = z
  .strictObject({
    device: text(
      interfaceName,
      "name of an interface in the forwarder's namespace: a NIC, a bond, a bridge or a VLAN interface",
    ),
    id: whole(0, limits.vlan, 'the VLAN identifier, 1 to 4094; 0: untagged frames'),
  })
  .meta({ description: 'the network behind a device of the host, for Ethernet frames' });

const wired = z.strictObject({ type: z.literal('vlan'), ...filled(document.shape) });
export type VlanMechanism = Frozen<z.output<typeof wired>>;

const privateMode = 'It is in private mode: many wires share the device, and none reaches another through it.';

export const vlan = mechanism<typeof document, typeof wired>({
  type: 'vlan',
  document,
  wired,
  toWired: (written) => ({ type: 'vlan', ...written }),
  toDocument: (wanted) => omit(wanted, 'type'),
  problems: segmentProblems,
  reach: {
    at: 'network',
    carries: { payload: 'ethernet', words: 'VLAN carries Ethernet frames' },
    hostDevice: ({ device }) => device,
    segment: ({ id }) => id,
    interfaceKind: ({ id }) => (id === 0 ? 'macvlan' : 'vlan'),
    why: ({ device, id }, end) => {
      const what = `The ${end} end is the network behind ${device}`;
      return [
        id === 0
          ? `${what}, without a tag, so the workload's interface is a macvlan of that device.`
          : `${what}, in VLAN ${id}, so the workload's interface is a VLAN device above a macvlan of its own there.`,
        privateMode,
      ];
    },
    whyPort: ({ device }) => [
      `The network behind ${device} reaches it by a part of that device, which the engine uses.`,
      privateMode,
    ],
    detail: ({ device, id }) => (id === 0 ? `${device}, untagged` : `${device}, VLAN ${id}`),
  },
  namespace: () => undefined,
  device: () => undefined,
  claims: () => [], // many wires share it
  parameters: { device: 'identity', id: 'identity' },
  secrets: [],
  interfaces: { vlan: { made: 'part', isLayerless: false }, macvlan: { made: 'part', isLayerless: false } },
  drops: { ingress: ['bad_checksum', 'bad_offload'], egress: ['io_error'], kernel: ['tunnel_error'] },
  describe: ({ device, id }) => ({ beyond: [['Network:', `${device}, VLAN ${id}`]] }),
});

/** A virtual function at the other end is in the VLAN of this network. */
function segmentProblems({ name, value: { id } }: WrittenEnd, { opposite }: WrittenWire): Problem[] {
  const other = opposite(name);
  const device = other && writtenDevice(other);
  if (!device || id === undefined || device['vlan'] === undefined || device['vlan'] === id) return [];
  const reason = `the network at the other end is VLAN ${JSON.stringify(id)}`;
  return [invalid([...other.path, 'device', 'vlan'], 'value', reason, 'leave vlan out')];
}
