// SPDX-License-Identifier: Apache-2.0
// The connections that stand, found by their own id, by the caller's, and by their wire.

import { CrosswireError } from '../model/error.ts';
import type { Connection } from '../nsm/generated/connection.ts';
import { previousSegment } from '../nsm/path/path-segments.ts';
import type { Established } from './established.ts';

/** NSM's manager keeps a gRPC connection to us for each, and we one to its next hop: half of what the sockets of the
 *  addon have room for (native/os/stream_sockets.hpp), less some for others. */
export const mostConnections = 1_800;
/** Of one caller that is not our manager. */
export const mostOfOneCaller = 256;

export class Standing {
  readonly #byId = new Map<string, Established>();
  readonly #byWire = new Map<string, Established>();
  readonly #byCallersId = new Map<string, Established>();
  /** Those that stand or are on the way to it, of each scope. */
  readonly #taken = new Map<string, number>();
  #all = 0;

  get(id: string): Established | undefined {
    return this.#byId.get(id);
  }

  values(): Established[] {
    return [...this.#byId.values()];
  }

  set(held: Established): void {
    this.delete(held.id);
    this.#byId.set(held.id, held);
    this.#byWire.set(held.wire, held);
    const callers = callersId(held.connection);
    if (held.scope === '' || !this.#byCallersId.has(callers)) this.#byCallersId.set(callers, held);
  }

  delete(id: string): void {
    const held = this.#byId.get(id);
    if (!held) return;
    this.#byId.delete(id);
    if (this.#byWire.get(held.wire) === held) this.#byWire.delete(held.wire);
    const callers = callersId(held.connection);
    if (this.#byCallersId.get(callers) === held) this.#byCallersId.delete(callers);
  }

  clear(): void {
    for (const map of [this.#byId, this.#byWire, this.#byCallersId]) map.clear();
  }

  /** Those that a Request of this id for this wire would change. */
  concerning(id: string, wire: string): Established[] {
    const [byId, byWire] = [this.#byId.get(id), this.#byWire.get(wire)];
    return [...new Set([byId, byWire])].filter((held) => held !== undefined);
  }

  /** Of another scope whose caller goes by an id that this path claims: who watches by that id would hear of both. Our
   *  manager's word goes before everybody's. */
  impersonated({ path }: Connection, scope: string): Established | undefined {
    if (scope === '') return undefined;
    const before = path?.pathSegments.slice(0, path.index) ?? [];
    return before.map(({ id }) => this.#byCallersId.get(id)).find((held) => held && held.scope !== scope);
  }

  /** A place for one more; the function it returns gives it back. Throws TOO_MANY_CONNECTIONS. */
  takePlace(scope: string): () => void {
    const own = this.#taken.get(scope) ?? 0;
    if (this.#all >= mostConnections) throw tooMany(`the forwarder has ${mostConnections}`);
    if (scope !== '' && own >= mostOfOneCaller) throw tooMany(`${scope} has ${mostOfOneCaller}, without a manager`);
    this.#all += 1;
    this.#taken.set(scope, own + 1);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.#all -= 1;
      const left = (this.#taken.get(scope) ?? 1) - 1;
      if (left > 0) this.#taken.set(scope, left);
      else this.#taken.delete(scope);
    };
  }
}

function callersId(connection: Connection): string {
  return previousSegment(connection)?.id ?? '';
}

function tooMany(reason: string): CrosswireError {
  return new CrosswireError({
    code: 'TOO_MANY_CONNECTIONS',
    operation: 'establish the connection',
    subject: '',
    reason: `${reason} connections already`,
    hint: 'close connections that are not needed, or use another node',
  });
}
