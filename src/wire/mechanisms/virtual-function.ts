// SPDX-License-Identifier: Apache-2.0
// A virtual function of a NIC (SR-IOV), as ends ask for it: the interface of a kernel end, or the whole of a vfio end.

import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { canonicalPci, type DeviceRequest } from '../../model/device.ts';
import { flag, text, whole } from '../values/fields.ts';
import { tidy } from '../values/frozen.ts';
import { limits } from '../values/limits.ts';
import { invalid, isMapping, type Problem } from '../values/problems.ts';
import { pciAddress, resourceName } from '../values/value-checks.ts';
import type { WrittenEnd, WrittenWire } from './mechanism.ts';

const pciWords = 'the function, by its PCI address';
const pci = text(pciAddress, pciWords)
  .overwrite((value) => canonicalPci(value) ?? value)
  .meta({ description: pciWords });
const resource = text(
  resourceName,
  'any free function of a resource, `serviceDomain/capability` of the SR-IOV file; the choice is kept over refreshes and restarts',
);
const mostRate = 0xffff_ffff; // Mbit/s: struct ifla_vf_rate of linux/if_link.h

const settings = {
  vlan: whole(
    0,
    limits.vlan,
    'VLAN into which the NIC puts the frames of both ends, 1 to 4094; 0: none; by default unchanged',
  ).optional(),
  trust: flag('whether its user may change its MAC and receive everything; by default unchanged').optional(),
  spoofCheck: flag('whether frames with another source MAC are dropped; by default unchanged').optional(),
  maxRate: whole(0, mostRate, 'in Mbit/s; 0: no limit; by default unchanged').optional(),
};

export const virtualFunction = z
  .strictObject({
    pci: pci.optional(),
    resource: resource.optional(),
    ...settings,
  })
  .meta({
    description: 'a virtual function of a NIC (SR-IOV): one of pci and resource; what is absent stays as it is',
  });

export const wiredFunction = z.union([
  z.strictObject({ pci, ...settings }),
  z.strictObject({ resource, ...settings }),
]) satisfies z.ZodType<DeviceRequest>;

export function requestOf(written: z.output<typeof virtualFunction>): z.output<typeof wiredFunction> {
  return tidy(written) as z.output<typeof wiredFunction>; // one of pci and resource is there: deviceProblems()
}

/** The device keys of an end; undefined: the end is no virtual function. */
export function writtenDevice({ value: { device } }: WrittenEnd): Readonly<Record<string, unknown>> | undefined {
  return isMapping(device) ? device : undefined;
}

export function deviceProblems(own: WrittenEnd, { opposite }: WrittenWire): Problem[] {
  const device = writtenDevice(own);
  if (!device) return [];
  const other = opposite(own.name);
  return [...choiceProblems(own, device), ...(other ? oppositeProblems(own, device, other) : [])];
}

function choiceProblems({ path }: WrittenEnd, device: Readonly<Record<string, unknown>>): Problem[] {
  const at = [...path, 'device'];
  const given = (['pci', 'resource'] as const).filter((key) => device[key] !== undefined);
  if (given.length === 2)
    return [invalid([...at, 'resource'], 'key', 'names a second device beside pci', 'keep one of pci and resource')];
  if (given.length === 1) return [];
  const hint = 'give pci, like 0000:01:10.0, or resource, like worker.domain/10G';
  return [{ code: 'KEY_MISSING', path: at, at: 'key', reason: 'the device is not named', hint }];
}

/** A NIC switches frames among its functions and to its port, by their MAC addresses. The address of a workload beyond a
 *  tunnel is not known here. */
function oppositeProblems(own: WrittenEnd, device: Readonly<Record<string, unknown>>, other: WrittenEnd): Problem[] {
  if (other.kind.reach.at === 'tunnel') {
    const reason = `the NIC switches the frames of the ${own.name} end, which is a virtual function, and reaches no ${other.kind.type} end`;
    return [invalid(other.path, 'key', reason, 'give this end a kernel interface, or vfio')];
  }
  const second = writtenDevice(other);
  if (!second || own.name === 'endpoint') return []; // the client end reports it
  const vlans = [device['vlan'], second['vlan']];
  if (vlans.includes(undefined) || isDeepStrictEqual(vlans[0], vlans[1])) return [];
  const reason = `the other end is in VLAN ${String(vlans[0])}: the NIC would join them never`;
  return [
    invalid([...other.path, 'device', 'vlan'], 'value', reason, 'give both ends the same vlan, or one of them none'),
  ];
}
