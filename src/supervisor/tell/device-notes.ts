// SPDX-License-Identifier: Apache-2.0
// Health records of wires with virtual functions that work.

import { choosePath } from '../../plan/path.ts';
import { vlanOf } from '../../plan/nic-path.ts';
import type { WireEntry } from '../wanted/entry.ts';
import type { Warning } from './health.ts';

export function notesOn({ name, wire, leases }: WireEntry): Warning[] {
  if (choosePath(wire).path !== 'nic') return [];
  const shared: Warning = {
    code: 'DEVICE_SEGMENT_SHARED',
    severity: 'info',
    text: `the wire ${name} has no VLAN: its devices share the untagged segment of the NIC with all others there`,
    wire: name,
  };
  const refusals = leases.flatMap(({ pci, mark, refused }) =>
    refused.map((text): Warning => {
      const end = mark.endsWith('/client') ? 'client' : 'endpoint';
      return { code: 'DEVICE_ATTRIBUTE_REFUSED', severity: 'warning', text: `${pci}: ${text}`, wire: name, end };
    }),
  );
  return [...(vlanOf(wire) ? [] : [shared]), ...refusals];
}
