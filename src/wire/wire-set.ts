// SPDX-License-Identifier: Apache-2.0
// What may exist only once among wires that are read together: their names, and the ends they claim.

import type { Wire } from './wire.ts';
import { endNames } from '../model/wire.ts';
import type { KeyPath } from './problems.ts';
import { toDocument } from './wire-document.ts';
import { endIdentity } from './wire-rules.ts';
import type { EndDocument } from './wire-schema.ts';

const claims = {
  kernel: { code: 'INTERFACE_CLAIMED', what: 'interface' },
  memif: { code: 'MEMIF_CLAIMED', what: 'socket and id' },
  vxlan: { code: 'TUNNEL_CLAIMED', what: 'VNI and UDP port' },
  vlan: undefined, // may be shared
  vfio: { code: 'DEVICE_CLAIMED', what: 'device' },
  wireguard: { code: 'TUNNEL_CLAIMED', what: 'UDP port' },
} as const;

export interface Clash {
  readonly code: 'DUPLICATE_NAME' | NonNullable<(typeof claims)[keyof typeof claims]>['code'];
  readonly path: KeyPath;
  readonly reason: string;
}

export class WireSet {
  readonly #names = new Map<string, string>();
  readonly #ends = new Map<string, string>();

  /** `place` is where the wire was read, for the error of a later one. */
  add(wire: Wire, place: string): Clash[] {
    const earlier = this.#names.get(wire.name);
    if (earlier !== undefined) {
      const reason = `the name '${wire.name}' is taken already by the wire at ${earlier}`;
      return [{ code: 'DUPLICATE_NAME', path: ['metadata', 'name'], reason }];
    }
    this.#names.set(wire.name, place);
    return this.#addEnds(wire, place);
  }

  #addEnds(wire: Wire, place: string): Clash[] {
    const { spec } = toDocument(wire);
    const clashes: Clash[] = [];
    for (const end of endNames) {
      const { type: mechanism } = wire[end].mechanism;
      for (const [sort, identity] of identitiesOf(spec[end], mechanism)) {
        const earlier = this.#ends.get(identity);
        const claim = claims[sort];
        if (!claim) continue;
        const { code, what } = claim;
        const path = ['spec', end, mechanism];
        if (earlier === undefined) this.#ends.set(identity, `the wire '${wire.name}' at ${place}`);
        else clashes.push({ code, path, reason: `this ${what} is an end of ${earlier} already` });
      }
    }
    return clashes;
  }
}

function identitiesOf(end: EndDocument, mechanism: keyof typeof claims): [keyof typeof claims, string][] {
  // Of one memif id, one wire may be the server and another one the client: a chain within this forwarder.
  const own = endIdentity(end);
  const pci = (end.kernel?.device ?? end.vfio?.device)?.pci;
  return [
    ...(own === undefined ? [] : [[mechanism, JSON.stringify([own, end.memif?.role])] as [typeof mechanism, string]]),
    ...(pci === undefined ? [] : [['vfio', JSON.stringify(['device', pci])] as ['vfio', string]]),
  ];
}
