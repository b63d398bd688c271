// SPDX-License-Identifier: Apache-2.0
// The established connections by their own id, by the caller's id, and by their wire.

import { CrosswireError } from '../../model/error.ts';
import type { Connection } from '../../nsm/generated/connection.ts';
import { previousSegment } from '../../nsm/path/path-segments.ts';
import type { Established } from './established.ts';

/** NSM's manager keeps a gRPC connection to us for each, and we keep one to each next hop: so half of what the addon's
 *  sockets have room for (native/os/stream_sockets.hpp), less some for other peers. */
export const mostConnections = 1_800;
/** For one caller that is not our manager. */
export const mostOfOneCaller = 256;

export class EstablishedConnections {
  readonly #byId = new Map<string, Established>();
  readonly #byWire = new Map<string, Established>();
  readonly #byCallersId = new Map<string, Established>();
  /** How many places are taken in each scope, by established connections and by Requests under way. */
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

  /** The connections that a Request of this id for this wire would change. */
  concerning(id: string, wire: string): Established[] {
    const [byId, byWire] = [this.#byId.get(id), this.#byWire.get(wire)];
    return [...new Set([byId, byWire])].filter((held) => held !== undefined);
  }

  /** The connection of another scope whose caller's id this path claims for itself: who watches by that id would hear of
   *  both. Our manager may claim any id. */
  impersonated({ path }: Connection, scope: string): Established | undefined {
    if (scope === '') return undefined;
    const before = path?.pathSegments.slice(0, path.index) ?? [];
    return before.map(({ id }) => this.#byCallersId.get(id)).find((held) => held && held.scope !== scope);
  }

  /** A place for one more connection; the returned function frees it. Throws TOO_MANY_CONNECTIONS. */
  takePlace(scope: string): () => void {
    const own = this.#taken.get(scope) ?? 0;
    if (this.#all >= mostConnections) throw tooMany(`the forwarder has ${mostConnections}`);
    if (scope !== '' && own >= mostOfOneCaller) throw tooMany(`${scope} has ${mostOfOneCaller}, without a manager`);
    this.#all += 1;
    this.#taken.set(scope, own + 1);
    let freed = false;
    return () => {
      if (freed) return;
      freed = true;
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
