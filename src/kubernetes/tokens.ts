// SPDX-License-Identifier: Apache-2.0
// The pool of tokens, which kubelet hands out instead of VFs. A token stands for any VF of a resource
// (`serviceDomain/capability`). A physical function with several resources has, for each of them, as many tokens as VFs; so
// a VF that is in use closes one token of each other resource (as in NSM's SR-IOV forwarder, sdk-sriov pkg/sriov/token).

import { createHash } from 'node:crypto';
import { CrosswireError } from '../model/error.ts';

/** A physical function whose VFs are offered to pods. */
export interface SharedFunction {
  readonly pci: string;
  readonly resources: readonly string[];
  readonly virtualFunctions: number;
}

/** A VF that is in use. */
export interface UsedDevice {
  readonly pci: string;
  /** PCI address of the physical function. */
  readonly physicalFunction: string;
  /** The token that the VF is used for. Absent if there is none: then the VF closes one token of every resource. */
  readonly token?: string;
}

export interface TokenState {
  readonly id: string;
  /** A VF is available for the token. */
  readonly healthy: boolean;
}

interface Token {
  id: string;
  readonly resource: string;
  /** kubelet has given the token to a pod. */
  allocated: boolean;
  inUse: boolean;
  /** The VF whose use closed the token. */
  closedBy: string | undefined;
}

const pattern = /^sriov-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function isToken(id: string): boolean {
  return pattern.test(id);
}

export class TokenPool {
  readonly #byResource = new Map<string, Token[]>();
  readonly #byId = new Map<string, Token>();
  readonly #functions: ReadonlyMap<string, SharedFunction>;
  readonly #listeners = new Set<() => void>();
  #uses = new Map<string, UsedDevice>();

  constructor(functions: readonly SharedFunction[]) {
    this.#functions = new Map(functions.map((one) => [one.pci, one]));
    for (const { pci, resources, virtualFunctions } of functions)
      for (const resource of new Set(resources))
        for (let index = 0; index < virtualFunctions; index++) this.#add(resource, tokenId(resource, pci, index));
  }

  get resources(): string[] {
    return [...this.#byResource.keys()];
  }

  tokens(resource: string): TokenState[] {
    return this.#of(resource).map(({ id, closedBy }) => ({ id, healthy: closedBy === undefined }));
  }

  /** Throws TOKEN_UNUSABLE. */
  resourceOf(id: string): string {
    return this.#usable(id, 'use the token').resource;
  }

  /** Marks tokens as allocated that kubelet gave out during an earlier run or from another forwarder. An unknown id replaces the
   *  id of a free token. */
  restore(resource: string, ids: Iterable<string>): void {
    for (const id of ids) {
      const free = this.#of(resource).find((one) => !one.allocated && !one.inUse);
      const token = this.#byId.get(id) ?? (isToken(id) ? free : undefined);
      if (token?.resource !== resource) continue;
      this.#byId.delete(token.id);
      token.id = id;
      token.allocated = true;
      this.#byId.set(id, token);
    }
    this.#changed();
  }

  /** Allocates all of the tokens, or throws TOKEN_UNUSABLE and allocates none. */
  allocate(ids: readonly string[]): void {
    const tokens = ids.map((id) => this.#usable(id, 'allocate the token'));
    for (const token of tokens) token.allocated = true;
  }

  free(id: string): void {
    const token = this.#byId.get(id);
    if (token) token.allocated = false;
  }

  allocated(resource: string): string[] {
    return this.#of(resource).flatMap(({ id, allocated }) => (allocated ? [id] : []));
  }

  /** `devices`: all VFs that are in use now. */
  setUses(devices: readonly UsedDevice[]): void {
    const uses = new Map(devices.map((one) => [one.pci, one]));
    const ended = [...this.#uses.values()].filter((one) => !isIn(uses, one));
    const begun = devices.filter((one) => !isIn(this.#uses, one));
    if (ended.length === 0 && begun.length === 0) return;
    for (const one of ended) this.#endUse(one);
    for (const one of begun) this.#beginUse(one);
    this.#uses = uses;
    this.#changed();
  }

  /** Calls the listener after every change of what tokens() returns. Returns the function that ends this. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #beginUse({ pci, physicalFunction, token: id }: UsedDevice): void {
    const own = id === undefined ? undefined : this.#byId.get(id);
    if (own) {
      own.inUse = true;
      own.closedBy = undefined;
    }
    for (const resource of this.#functions.get(physicalFunction)?.resources ?? []) {
      if (resource === own?.resource) continue;
      const open = this.#of(resource).filter(({ inUse, closedBy }) => !inUse && closedBy === undefined);
      const closed = open.find(({ allocated }) => !allocated) ?? open[0];
      if (closed) closed.closedBy = pci;
    }
  }

  #endUse({ pci, token: id }: UsedDevice): void {
    const own = id === undefined ? undefined : this.#byId.get(id);
    if (own) own.inUse = false;
    for (const token of this.#byId.values()) if (token.closedBy === pci) token.closedBy = undefined;
  }

  #usable(id: string, operation: string): Token {
    const token = this.#byId.get(id);
    const reason = !token
      ? 'this forwarder has no such token'
      : token.closedBy
        ? `the VF that it stands for, ${token.closedBy}, is in use under another resource name or without a token`
        : undefined;
    if (reason === undefined) return token as Token;
    const hint = 'start the pod again: kubelet then gives it another token';
    throw new CrosswireError({ code: 'TOKEN_UNUSABLE', operation, subject: id, reason, hint });
  }

  #add(resource: string, id: string): void {
    const token: Token = { id, resource, allocated: false, inUse: false, closedBy: undefined };
    this.#byId.set(id, token);
    this.#byResource.set(resource, [...this.#of(resource), token]);
  }

  #of(resource: string): readonly Token[] {
    return this.#byResource.get(resource) ?? [];
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

function isIn(uses: ReadonlyMap<string, UsedDevice>, { pci, token }: UsedDevice): boolean {
  const same = uses.get(pci);
  return same !== undefined && same.token === token;
}

/** A UUID of version 8 (RFC 9562, section 5.8), computed so that the ids are the same after every start and pods keep theirs. */
function tokenId(resource: string, pci: string, index: number): string {
  const hash = createHash('sha256').update(`${resource}\n${pci}\n${index}`).digest('hex');
  const variant = ((Number.parseInt(hash.slice(16, 17), 16) & 3) | 8).toString(16);
  return `sriov-${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-${variant}${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}
