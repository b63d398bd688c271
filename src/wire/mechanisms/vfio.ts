// SPDX-License-Identifier: Apache-2.0
// VFIO: a virtual function for an application that drives it itself (Documentation/driver-api/vfio.rst of the kernel).

import { z } from 'zod';
import { filled, mac, text } from '../values/fields.ts';
import { type Frozen, omit, tidy } from '../values/frozen.ts';
import { absolutePath } from '../values/value-checks.ts';
import { mechanism } from './mechanism.ts';
import { deviceProblems, requestOf, virtualFunction, wiredFunction } from './virtual-function.ts';

const document = z
  .strictObject({
    device: virtualFunction,
    mac: mac('set before any driver sees the function; by default derived from node and wire').optional(),
    /** The control group whose processes may open its device nodes. */
    cgroup: text(
      absolutePath,
      'directory of the control group, v1 or v2, whose processes may open the device nodes; with `/*` at the end, all groups directly below; by default nobody may',
    ).optional(),
  })
  .meta({ description: 'a virtual function for an application that drives it itself, by VFIO' });

const wired = z.strictObject({ type: z.literal('vfio'), ...filled(document.shape), device: wiredFunction });
export type VfioMechanism = Frozen<z.output<typeof wired>>;

export const vfio = mechanism<typeof document, typeof wired>({
  type: 'vfio',
  document,
  wired,
  toWired: ({ device, ...written }) => tidy({ type: 'vfio', ...written, device: requestOf(device) }),
  toDocument: (wanted) => omit(wanted, 'type'),
  problems: deviceProblems,
  reach: { at: 'device', detail: (group) => (group === undefined ? 'vfio-pci' : `vfio-pci, IOMMU group ${group}`) },
  namespace: () => undefined,
  device: ({ device }) => device,
  claims: () => [],
  parameters: { device: 'identity', mac: 'identity', cgroup: 'identity' },
  secrets: [],
  interfaces: {},
  drops: { ingress: [], egress: [], kernel: [] },
  describe: () => ({}),
});
