// SPDX-License-Identifier: Apache-2.0
// From an authorized Request to an established connection: the chain of NSM's forwarders as a list of steps. Where a step
// fails, what the earlier ones did is undone.

import { CrosswireError } from '../../model/error.ts';
import { HeldFiles } from '../../nsm/chain/held-files.ts';
import { type Connection, type Mechanism, State } from '../../nsm/generated/connection.ts';
import { parameter } from '../../nsm/names.ts';
import { ownSegment, withSegment } from '../../nsm/path/path-segments.ts';
import type { Found } from '../../nsm/registry/discovery.ts';
import { Rotation } from '../../nsm/registry/rotation.ts';
import type { Established } from '../connections/established.ts';
import { pathMetrics } from '../connections/path-metrics.ts';
import type { ServiceParts, ServiceSettings } from '../parts/parts.ts';
import type { Asked, Route } from './attempt.ts';
import { PreviousEndpoint } from './close-previous.ts';
import { connect, dial } from './connect.ts';
import { crossConnect } from './cross-connect.ts';
import { discover } from './discover.ts';
import { Mechanisms } from './mechanisms.ts';
import { mergedAnswer } from './merge-answer.ts';
import { receiveFile } from './receive-file.ts';
import { Undo } from './undo.ts';

/** What a Request that succeeded amounts to. */
export type Outcome = Omit<Established, 'caller' | 'client' | 'scope' | 'freePlace' | 'stopWatching'>;

export class Establisher {
  readonly #parts: ServiceParts & { readonly dialMilliseconds: number };
  readonly #rotation = new Rotation();
  readonly #mechanisms: Mechanisms;

  constructor(settings: ServiceSettings, parts: ServiceParts) {
    this.#parts = { ...parts, dialMilliseconds: settings.dialMilliseconds };
    this.#mechanisms = new Mechanisms(settings, parts);
  }

  /** Makes what a connection used available to others. */
  release(connection: string): void {
    this.#mechanisms.release(connection);
  }

  /** Tries the caller's mechanisms in its order, each with every endpoint; the first that works end to end wins. */
  async establish(request: Omit<Asked, 'files'>, preferences: readonly Mechanism[]): Promise<Outcome> {
    const { held, call } = request;
    const { connection, endpoints } = await discover(this.#parts, this.#rotation, request.connection, call);
    const asked: Asked = { ...request, connection, files: held?.files ?? new HeldFiles() };
    const previous = new PreviousEndpoint(this.#parts, held);
    const failures: unknown[] = [];
    for (const mechanism of this.#mechanisms.acceptable(connection, preferences)) {
      for (const reach of endpoints) {
        try {
          return await this.#attempt(asked, mechanism, await reach(), previous);
        } catch (error) {
          failures.push(error);
          if (call.signal.aborted) break;
        }
      }
    }
    asked.files.keepOnly(held ? urlsOf(held.connection.mechanism, held.onward) : []);
    if (!held) this.release(connection.id);
    throw failures.length === 1 ? failures[0] : allFailed(connection, failures);
  }

  async #attempt(asked: Asked, mechanism: Mechanism, endpoint: Found, previous: PreviousEndpoint): Promise<Outcome> {
    const undo = new Undo();
    undo.push(() => endpoint.file?.close());
    try {
      const prepared = await this.#mechanisms.prepare(asked, mechanism, endpoint);
      await receiveFile(asked, mechanism);
      await previous.closeUnless(endpoint);
      const nextHop = await dial(this.#parts, previous.at(endpoint), endpoint, asked.call.signal);
      if (nextHop !== asked.held?.nextHop) undo.push(() => nextHop.close());
      const route: Route = { ...prepared, endpoint, nextHop };
      const onward = this.#onwardOf(asked, route, previous.at(endpoint)?.onward);
      const answer = await connect(this.#parts, asked, route, onward, undo);
      if (!asked.held) this.#warnOfUnsupported(answer, endpoint);
      const connection = await this.#wire(asked, route, answer);
      return await this.#outcome(asked, route, connection);
    } catch (error) {
      await undo.run();
      throw error;
    }
  }

  #onwardOf({ connection }: Asked, { endpoint, callerSide }: Route, inUse: Mechanism | undefined): Connection {
    return {
      ...connection,
      networkServiceEndpointName: endpoint.name,
      context: this.#mechanisms.contextFor(connection, callerSide),
      mechanism: inUse,
    };
  }

  #warnOfUnsupported(answer: Connection, { name: endpoint }: Found): void {
    const asked = this.#mechanisms.unsupportedIn(answer);
    if (asked.length === 0) return;
    const about = { connection: answer.id, endpoint, asked };
    this.#parts.log.warn(about, 'the endpoint asks for what is not done here: set it up there');
  }

  /** The connection that the caller and the next hop agreed on, once its wire is made. */
  async #wire(asked: Asked, route: Route, answer: Connection): Promise<Connection> {
    const { connection: translated, network } = await this.#mechanisms.translate(answer);
    const connection = mergedAnswer(asked.connection, translated, route.endpoint);
    const document = await this.#mechanisms.documentOf(asked, route, { connection, network });
    if (document) await crossConnect(this.#parts, document, asked.held === undefined);
    return connection;
  }

  async #outcome(asked: Asked, route: Route, merged: Connection): Promise<Outcome> {
    const { held, files, wire } = asked;
    const { callerSide, endpoint, nextHop } = route;
    const onward = merged.mechanism as Mechanism;
    files.keepOnly(urlsOf(callerSide, onward));
    held?.endpoint.file?.close();
    if (held && held.nextHop !== nextHop) held.nextHop.close();
    const metrics = { ...ownSegment(merged)?.metrics, ...(await pathMetrics(this.#parts.wires, wire)) };
    const mechanism = this.#mechanisms.answered(callerSide, this.#parts.wires.get(wire)?.client);
    const connection = withSegment({ ...merged, mechanism, state: State.UP }, 0, { metrics });
    return { id: asked.connection.id, connection, onward, endpoint, nextHop, wire, files };
  }
}

function urlsOf(...mechanisms: readonly (Mechanism | undefined)[]): (string | undefined)[] {
  return mechanisms.map((mechanism) => mechanism?.parameters[parameter.inodeUrl]);
}

function allFailed({ id, networkService }: Connection, failures: readonly unknown[]): CrosswireError {
  return new CrosswireError({
    code: 'REQUEST_FAILED',
    operation: 'establish the connection',
    subject: `connection ${id} to ${networkService}`,
    reason: failures.map((error) => (error instanceof Error ? error.message : String(error))).join(' | ') || 'timeout',
    cause: failures[0],
  });
}
