// SPDX-License-Identifier: Apache-2.0
// VFIO: a virtual function that the client's own program drives.

import { CrosswireError } from '../../model/error.ts';
import type { Mechanism } from '../generated/connection.ts';
import { mechanismType, parameter } from '../names.ts';
import { controlGroupFor, resourceFor } from './devices.ts';
import type { NsmMechanism } from './mechanism.ts';
import { macOf } from './parameters.ts';

export const vfio: NsmMechanism = {
  type: mechanismType.vfio,
  taken: 'with devices',
  completed: (_, _connection, asked) => {
    mustHaveControlGroup(asked);
    return asked;
  },
  endOf: (agreement, end) => {
    const { connection, devices } = agreement;
    return {
      vfio: {
        device: { resource: resourceFor(devices, agreement[end]) },
        cgroup: controlGroupFor(devices, agreement[end]),
        ...macOf(connection, end),
      },
    };
  },
};

function mustHaveControlGroup({ type, parameters }: Mechanism): void {
  if (parameters[parameter.cgroupDirectory]) return;
  throw new CrosswireError({
    code: 'MECHANISM_PARAMETER',
    operation: `read the caller's mechanism ${type}`,
    subject: parameter.cgroupDirectory,
    reason: 'it is missing: nobody could be let open the device',
    hint: 'clients of NSM name the control group of their container',
  });
}
