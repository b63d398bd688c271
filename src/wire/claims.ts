// SPDX-License-Identifier: Apache-2.0
// Claims: the name of a wire and the unique kernel resources of its ends, each of which only one wire can have. The reader
// of wire files asks before namespaces are resolved and devices chosen, the supervisor afterwards. Both get the same refusal.

import { CrosswireError } from '../model/error.ts';
import { type EndName, endNames } from '../model/wire.ts';
import { kindOf } from './mechanisms/index.ts';
import type { ClaimCode, Claimed, Place } from './mechanisms/mechanism.ts';
import type { KeyPath, Problem } from './values/problems.ts';
import { deviceOf, namespaceOf, type Wire } from './wire.ts';

/** A wire with the namespaces and devices that its references mean, as far as they are known. */
export interface Claimant {
  readonly wire: Wire;
  readonly namespaces?: Readonly<Partial<Record<EndName, ClaimedNamespace>>>;
  /** PCI addresses. */
  readonly devices?: Readonly<Partial<Record<EndName, string>>> | undefined;
  /** Where the wire was read. */
  readonly place?: string;
}

interface ClaimedNamespace {
  readonly device: number;
  readonly inode: number;
  readonly path: string;
}

export interface Refusal {
  readonly code: 'DUPLICATE_NAME' | 'WIRE_TO_ITSELF' | ClaimCode;
  readonly wire: string;
  /** Undefined: the whole wire. */
  readonly end?: EndName;
  readonly path: KeyPath;
  readonly reason: string;
}

interface Claim extends Claimed {
  readonly end: EndName;
  readonly path: KeyPath;
}

interface Holder {
  readonly claimant: Claimant;
  readonly claim?: Claim;
}

/** An index of claims by key: a question costs the same for any number of wires. */
export class Claims {
  /** A wire that changes may hold a key several times. */
  readonly #holders = new Map<string, readonly Holder[]>();

  /** Throws the first refusal, or holds all claims until the returned function is called. Held claims of wires with the same
   *  names do not count: those wires are being replaced. */
  reserve(asked: readonly Claimant[]): () => void {
    const renewed = new Set(asked.map(({ wire }) => wire.name));
    const [refusal] = [...asked.flatMap(refusalsToItself), ...this.refusals(asked, renewed)];
    if (refusal) throw errorOf(refusal);
    for (const one of asked) this.hold(one);
    return () => {
      for (const one of asked) this.release(one);
    };
  }

  /** Claims of these wires that another of them has, or that is held by a wire not in `except`. */
  refusals(asked: readonly Claimant[], except: ReadonlySet<string> = new Set()): Refusal[] {
    const others = new Map<string, Holder>();
    const holderOf = (key: string) => others.get(key) ?? this.#holderOf(key, except);
    return asked.flatMap((claimant) => {
      const name = nameKey(claimant);
      const earlier = holderOf(name);
      if (earlier) return [duplicate(claimant, earlier)];
      others.set(name, { claimant });
      return claimsOf(claimant).flatMap((claim) => {
        const holder = holderOf(claim.key);
        if (holder?.claimant === claimant) return []; // refusalsToItself() says so
        if (!holder) others.set(claim.key, { claimant, claim });
        return holder ? [claimedTwice(claimant, claim, holder)] : [];
      });
    });
  }

  /** Whether a wire that is not in `except` holds it. */
  isDeviceHeld(pci: string, except: ReadonlySet<string>): boolean {
    return this.#holderOf(deviceKey(pci), except) !== undefined;
  }

  hold(claimant: Claimant): void {
    const add = (key: string, holder: Holder) => this.#holders.set(key, [...(this.#holders.get(key) ?? []), holder]);
    add(nameKey(claimant), { claimant });
    for (const claim of claimsOf(claimant)) add(claim.key, { claimant, claim });
  }

  release(claimant: Claimant): void {
    for (const key of [nameKey(claimant), ...claimsOf(claimant).map((claim) => claim.key)]) {
      const others = this.#holders.get(key)?.filter((one) => one.claimant !== claimant) ?? [];
      if (others.length > 0) this.#holders.set(key, others);
      else this.#holders.delete(key);
    }
  }

  #holderOf(key: string, except: ReadonlySet<string>): Holder | undefined {
    return this.#holders.get(key)?.find(({ claimant }) => !except.has(claimant.wire.name));
  }
}

/** A wire with two ends of the same identity leads to itself. */
export function refusalsToItself(claimant: Claimant): Refusal[] {
  const claims = claimsOf(claimant);
  const second = claims.find(
    ({ end, identity }) =>
      end === 'endpoint' && claims.some((one) => one.end === 'client' && one.identity === identity),
  );
  if (!second) return [];
  const { noun, path, end } = second;
  const reason = `both ends are the same ${noun}: the wire would lead to itself`;
  return [{ code: 'WIRE_TO_ITSELF', wire: claimant.wire.name, end, path, reason }];
}

/** As problems of the wire's document. */
export function toItself(wire: Wire): Problem[] {
  return refusalsToItself({ wire }).map(({ path, reason }) => {
    const isDevice = path.at(-1) === 'pci';
    return { code: 'WIRE_TO_ITSELF', path: isDevice ? path : path.slice(0, 2), at: isDevice ? 'value' : 'key', reason };
  });
}

/** A virtual function has one user. */
export function deviceKey(pci: string): string {
  return `vf:${pci}`;
}

function claimsOf(claimant: Claimant): Claim[] {
  const { wire } = claimant;
  return endNames.flatMap((end) => {
    const { mechanism } = wire[end];
    const common = { end, path: ['spec', end, mechanism.type] };
    const own = kindOf(mechanism).claims(mechanism, placeOf(claimant, end));
    return [...own, ...deviceClaims(claimant, end)].map((claim) => ({ ...common, ...claim }));
  });
}

function deviceClaims({ wire, devices }: Claimant, end: EndName): (Claimed & { readonly path?: KeyPath })[] {
  const request = deviceOf(wire[end]);
  const written = request && 'pci' in request ? request.pci : undefined;
  const pci = devices?.[end] ?? written;
  if (!pci) return [];
  const key = deviceKey(pci);
  const claim = { key, identity: key, code: 'DEVICE_CLAIMED', noun: 'device', what: `device ${pci}` } as const;
  return [written === undefined ? claim : { ...claim, path: ['spec', end, wire[end].mechanism.type, 'device', 'pci'] }];
}

function placeOf({ wire, namespaces }: Claimant, end: EndName): Place {
  const found = namespaces?.[end];
  if (found) return { key: [found.device, found.inode], words: found.path };
  const reference = namespaceOf(wire[end]);
  if (!reference) return { key: [], words: "the forwarder's namespace" };
  if ('inode' in reference) return { key: ['inode', reference.inode], words: `the namespace ${reference.inode}` };
  if ('pid' in reference) return { key: ['pid', reference.pid], words: `the namespace of process ${reference.pid}` };
  return { key: ['netns', reference.netns], words: reference.netns };
}

function nameKey({ wire }: Claimant): string {
  return `wire:${wire.name}`;
}

function duplicate({ wire }: Claimant, { claimant: { place } }: Holder): Refusal {
  const reason = place
    ? `the name '${wire.name}' is taken already by the wire at ${place}`
    : 'two wires have this name';
  return { code: 'DUPLICATE_NAME', wire: wire.name, path: ['metadata', 'name'], reason };
}

function claimedTwice({ wire }: Claimant, { code, what, end, path }: Claim, { claimant, claim }: Holder): Refusal {
  const holder = `wire ${claimant.wire.name}${claimant.place ? ` at ${claimant.place}` : ''}`;
  const reason = `${what} is also the ${claim?.end ?? ''} end of ${holder}`;
  return { code, wire: wire.name, end, path, reason };
}

function errorOf({ code, wire, end, reason }: Refusal): CrosswireError {
  const subject = end && code !== 'WIRE_TO_ITSELF' ? `${wire}/${end}` : wire;
  return new CrosswireError({ code, operation: 'check the wires', subject, reason });
}
