// SPDX-License-Identifier: Apache-2.0
// The drop reasons that frames entering a wire at an end can have. They are always shown, from zero on, so that rate() and
// increase() see the first drop. Other reasons are shown once they have counted something.

import type { DropReason } from '../model/drop-reason.ts';
import { type EndName, otherEnd, type Path, type Payload } from '../model/wire.ts';
import { type MechanismType, mechanisms } from '../wire/mechanisms/index.ts';

const anywhere: readonly DropReason[] = ['tx_full', 'too_big', 'too_short', 'link_down'];

export interface DropSetting {
  readonly path: Path;
  readonly payload: Payload;
  readonly client: MechanismType;
  readonly endpoint: MechanismType;
}

export function possibleDrops(setting: DropSetting, end: EndName): readonly DropReason[] {
  const [from, to] = [mechanisms[setting[end]], mechanisms[setting[otherEnd(end)]]];
  const hasInterface = from.reach.at === 'interface';
  switch (setting.path) {
    case 'proxy':
      return [];
    case 'veth':
      return from.drops.kernel;
    case 'nic':
      return hasInterface ? from.drops.kernel : [];
    case 'tunnel':
    case 'vlan':
      return hasInterface ? [...from.drops.kernel, ...to.drops.kernel] : from.drops.kernel;
    case 'engine': {
      const ofPayload: DropReason[] = setting.payload === 'ip' ? ['bad_payload'] : [];
      return [...anywhere, ...from.drops.ingress, ...to.drops.egress, ...ofPayload];
    }
  }
}
