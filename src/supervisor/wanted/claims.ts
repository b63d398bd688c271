// SPDX-License-Identifier: Apache-2.0
// What only one wire can have. Wires that contradict each other are refused before anything is touched.

import { CrosswireError } from '../../model/error.ts';
import { type EndName, endNames } from '../../model/wire.ts';
import { deviceKey, tunnelKey } from '../../plan/state.ts';
import type { Standing } from '../store/record.ts';

interface Claim {
  readonly key: string;
  readonly wire: string;
  readonly end: EndName;
  readonly what: string;
}

/** Claims of the wires that stand and of those on their way, by what they claim: asking costs the same however many
 *  wires there are. */
export class Claims {
  /** Of one wire there may be several, while it changes. */
  readonly #holders = new Map<string, readonly Standing[]>();

  /** Throws, or holds all until the function it returns is called. */
  reserve(asked: readonly Standing[]): () => void {
    const renewed = new Set(asked.map(({ wire }) => wire.name));
    refuseTwice(asked);
    const wanted = new Map<string, Claim>();
    for (const one of asked) {
      refuseToItself(one);
      for (const claim of claimsOf(one)) {
        const holder = wanted.get(claim.key) ?? this.#holderOf(claim.key, renewed);
        if (holder) throw claimedTwice(claim, holder);
        wanted.set(claim.key, claim);
      }
    }
    for (const one of asked) this.hold(one);
    return () => {
      for (const one of asked) this.release(one);
    };
  }

  /** By a wire that is none of these. */
  isHeld(key: string, except: ReadonlySet<string>): boolean {
    return this.#holderOf(key, except) !== undefined;
  }

  hold(standing: Standing): void {
    for (const { key } of claimsOf(standing)) this.#holders.set(key, [...(this.#holders.get(key) ?? []), standing]);
  }

  release(standing: Standing): void {
    for (const { key } of claimsOf(standing)) {
      const others = this.#holders.get(key)?.filter((one) => one !== standing) ?? [];
      if (others.length > 0) this.#holders.set(key, others);
      else this.#holders.delete(key);
    }
  }

  #holderOf(key: string, renewed: ReadonlySet<string>): Claim | undefined {
    const holder = this.#holders.get(key)?.find(({ wire }) => !renewed.has(wire.name));
    return holder && claimsOf(holder).find((claim) => claim.key === key);
  }
}

function claimsOf(standing: Standing): Claim[] {
  return [...placeClaims(standing), ...deviceClaims(standing)];
}

function deviceClaims({ wire, devices }: Standing): Claim[] {
  return endNames.flatMap((end) => {
    const pci = devices?.[end];
    return pci === undefined ? [] : [{ wire: wire.name, end, key: deviceKey(pci), what: `device ${pci}` }];
  });
}

function placeClaims({ wire, namespaces }: Standing): Claim[] {
  return endNames.flatMap((end) => {
    const { mechanism } = wire[end];
    const common = { wire: wire.name, end };
    if (mechanism.type === 'memif') {
      if (mechanism.role !== 'server') return [];
      const what = `memif server ${mechanism.socket} id ${mechanism.id}`;
      return [{ ...common, key: memifKey({ wire, namespaces }, end), what }];
    }
    if (mechanism.type === 'wireguard') {
      const what = `tunnel of WireGuard at UDP port ${mechanism.localPort}`;
      return [{ ...common, key: tunnelKey(mechanism), what }];
    }
    if (mechanism.type === 'vxlan') {
      const what = `tunnel of VNI ${mechanism.vni}, UDP port ${mechanism.port}`;
      return [{ ...common, key: tunnelKey(mechanism), what }];
    }
    if (mechanism.type === 'vlan' || mechanism.type === 'vfio') return []; // many wires share it; claimed as a device
    const { device, inode, path } = namespaces[end] ?? { device: 0, inode: 0, path: '' };
    const what = `interface ${mechanism.interface} in ${path}`;
    return [{ ...common, key: JSON.stringify([device, inode, mechanism.interface]), what }];
  });
}

function memifKey({ wire, namespaces }: Standing, end: EndName): string {
  const { mechanism } = wire[end];
  if (mechanism.type !== 'memif') return '';
  const { device, inode } = namespaces[end] ?? { device: 0, inode: 0 };
  return JSON.stringify([device, inode, mechanism.socket, mechanism.id]);
}

function refuseTwice(asked: readonly Standing[]): void {
  const seen = new Set<string>();
  for (const { wire } of asked) {
    if (seen.has(wire.name)) throw refusal('DUPLICATE_NAME', wire.name, 'two wires have this name');
    seen.add(wire.name);
  }
}

/** Also a memif server whose client would be its own other end. */
function refuseToItself(standing: Standing): void {
  const { wire } = standing;
  const [a, b] = placeClaims(standing);
  const [client, endpoint] = [memifKey(standing, 'client'), memifKey(standing, 'endpoint')];
  const sameMemif = client !== '' && client === endpoint;
  if (sameMemif || (a && b && a.key === b.key))
    throw refusal('WIRE_TO_ITSELF', wire.name, `both ends are the same ${sameMemif ? 'memif' : 'interface'}`);
}

function claimedTwice(claim: Claim, holder: Claim): CrosswireError {
  const [sort = ''] = claim.what.split(' ');
  const code =
    { memif: 'MEMIF_CLAIMED', tunnel: 'TUNNEL_CLAIMED', device: 'DEVICE_CLAIMED' }[sort] ?? 'INTERFACE_CLAIMED';
  return refusal(
    code,
    `${claim.wire}/${claim.end}`,
    `${claim.what} is also the ${holder.end} end of wire ${holder.wire}`,
  );
}

function refusal(code: string, subject: string, reason: string): CrosswireError {
  return new CrosswireError({ code, operation: 'check the wires', subject, reason });
}
