// SPDX-License-Identifier: Apache-2.0
// Request and Close at the manager: each goes on to a forwarder, the one of before if it is still there.

import { CrosswireError } from '../../model/error.ts';
import { type Connection, type Mechanism, State } from '../../nsm/generated/connection.ts';
import type { NetworkServiceRequest } from '../../nsm/generated/networkservice.ts';
import { checkServerPolicies } from '../../spiffe/policies.ts';
import { isInodeUrl } from '../../nsm/mechanisms/inode-url.ts';
import { parameter } from '../../nsm/names.ts';
import { clientOf, previousSegment } from '../../nsm/path/path-segments.ts';
import { asCallerSees, locate } from '../../nsm/path/update-path.ts';
import type { MeshProgram } from '../program.ts';
import { admitted } from '../../forwarder/admission.ts';
import { Expiry } from '../../forwarder/expiry.ts';
import { HeldFiles } from '../../forwarder/held-files.ts';
import { MonitorHub, type Watcher } from '../../forwarder/monitor-hub.ts';
import { closeOnward, type OnwardCall, requestOnward, watchOnward } from '../../forwarder/onward.ts';
import type { IncomingCall } from '../../forwarder/parts.ts';
import { Turns } from '../../forwarder/turns.ts';
import type { NextHop } from '../../grpc/calls.ts';
import type { EndpointEntry, LocalRegistry } from './registry.ts';

interface Standing {
  connection: Connection;
  readonly forwarder: string;
  readonly nextHop: NextHop;
  readonly files: HeldFiles;
  readonly stopWatching: () => void;
}

const closeMilliseconds = 5_000;
/** The service under which forwarders register. */
const forwarderService = 'forwarder';

export class LocalManagerService {
  readonly #name: string;
  readonly #program: MeshProgram;
  readonly #registry: LocalRegistry;
  readonly #monitor = new MonitorHub();
  readonly #turns = new Turns();
  readonly #standing = new Map<string, Standing>();
  readonly #expiry = new Expiry((id) => void this.#turns.take(id, () => this.#end(id)));

  constructor(name: string, program: MeshProgram, registry: LocalRegistry) {
    this.#name = name;
    this.#program = program;
    this.#registry = registry;
  }

  async request(request: NetworkServiceRequest, call: IncomingCall): Promise<Connection> {
    const { connection: asked, mechanismPreferences: preferences } = request;
    if (!asked) throw wrong('CONNECTION_PATH', '', 'the Request has no connection');
    const { connection: located, caller } = locate(asked, this.#name);
    const spare = call.deadline.getTime() - Date.now();
    const answer = await this.#turns.take(located.id, async () => {
      const connection = await this.#admitted(located, call);
      if (connection.state === State.RESELECT_REQUESTED) await this.#end(connection.id, call);
      const files = this.#standing.get(connection.id)?.files ?? new HeldFiles();
      for (const mechanism of [...preferences, ...(connection.mechanism ? [connection.mechanism] : [])])
        await take(files, mechanism, call);
      try {
        const made = await this.#established(connection, preferences, files, call);
        // Early enough for a Close with tokens that still hold (sdk, pkg/networkservice/common/timeout).
        this.#expiry.arm(made.id, expiryOf(connection) - Date.now() - spare);
        return made;
      } catch (error) {
        if (!this.#standing.has(connection.id)) files.close();
        throw error;
      }
    });
    return asCallerSees(answer, caller);
  }

  async close(asked: Connection, call: IncomingCall): Promise<void> {
    const { connection: located } = locate(asked, this.#name);
    await this.#turns.take(located.id, async () => {
      const { id, path } = await this.#admitted(located, call);
      const held = this.#standing.get(id);
      if (!held) return;
      held.connection = { ...held.connection, path };
      await this.#end(id, call);
    });
  }

  async watch(watcher: Watcher): Promise<() => void> {
    return this.#monitor.watch(watcher);
  }

  /** Connections stay as they are: their clients ask again. */
  stop(): void {
    this.#expiry.stop();
    for (const held of this.#standing.values()) release(held);
    this.#standing.clear();
  }

  async #admitted(located: Connection, call: IncomingCall): Promise<Connection> {
    const issueToken = this.#program.issueToken.bind(this.#program);
    const connection = await admitted({ issueToken, checkCaller: checkServerPolicies }, located, call);
    const held = this.#standing.get(connection.id)?.connection;
    if (!held || clientOf(held) === clientOf(connection)) return connection;
    throw wrong('CONNECTION_OF_ANOTHER', connection.id, `it belongs to ${clientOf(held)}`);
  }

  async #established(
    connection: Connection,
    preferences: readonly Mechanism[],
    files: HeldFiles,
    call: IncomingCall,
  ): Promise<Connection> {
    const { networkService: service, path } = connection;
    expiryOf(connection);
    if (this.#registry.services({ name: service }).length === 0)
      throw wrong('SERVICE_UNKNOWN', `service ${service}`, 'it is not registered');
    const before = this.#standing.get(connection.id)?.forwarder ?? path?.pathSegments[path.index + 1]?.name;
    const forwarders = this.#registry
      .endpoints({ networkServiceNames: [forwarderService] })
      .filter(({ endpoint }) => endpoint.networkServiceLabels[forwarderService]?.labels['p2p'] === 'true')
      .toSorted((a, b) => Number(b.endpoint.name === before) - Number(a.endpoint.name === before));
    const failures: string[] = [];
    for (const forwarder of forwarders) {
      try {
        return await this.#by(forwarder, connection, preferences, files, call);
      } catch (error) {
        failures.push(`${forwarder.endpoint.name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    const reason = forwarders.length === 0 ? 'no forwarder is registered' : failures.join('; ');
    throw wrong('REQUEST_FAILED', `connection ${connection.id}`, reason);
  }

  async #by(
    { endpoint: { name, url }, file }: EndpointEntry,
    connection: Connection,
    preferences: readonly Mechanism[],
    files: HeldFiles,
    call: IncomingCall,
  ): Promise<Connection> {
    const nextHop = await this.#program.dialer.dial(file ? `unix://${file.path}` : url, call.signal);
    try {
      for (const { parameters } of preferences) {
        const namespace = files.get(parameters[parameter.inodeUrl] ?? '');
        if (namespace) await nextHop.peer.descriptors?.send(namespace.path);
      }
      const answer = await requestOnward(nextHop, connection, preferences, files, call);
      this.#stands(answer, name, nextHop, files);
      return answer;
    } catch (error) {
      nextHop.close();
      throw error;
    }
  }

  #stands(connection: Connection, forwarder: string, nextHop: NextHop, files: HeldFiles): void {
    const before = this.#standing.get(connection.id);
    before?.stopWatching();
    before?.nextHop.close();
    const tell = (state: State) => {
      if (this.#standing.get(connection.id) !== held || held.connection.state === state) return;
      held.connection = { ...held.connection, state };
      this.#monitor.updated(held.connection);
    };
    const stopWatching = watchOnward(nextHop, connection, {
      onEvent: (_, state) => tell(state),
      onEnd: () => tell(State.DOWN),
    });
    const held: Standing = { connection, forwarder, nextHop, files, stopWatching };
    this.#standing.set(connection.id, held);
    this.#monitor.updated(connection);
  }

  async #end(id: string, call: OnwardCall = within(closeMilliseconds)): Promise<void> {
    const held = this.#standing.get(id);
    if (!held) return;
    this.#standing.delete(id);
    this.#expiry.disarm(id);
    held.stopWatching();
    await closeOnward(held.nextHop, held.connection, held.files, call).catch((error: unknown) =>
      this.#program.log.warn({ connection: id, forwarder: held.forwarder, error }, 'the forwarder took no Close'),
    );
    release(held);
    this.#monitor.deleted(held.connection);
  }
}

function expiryOf(connection: Connection): number {
  const expires = previousSegment(connection)?.expires;
  if (expires) return expires.getTime();
  throw wrong('CONNECTION_PATH', connection.id, "the caller's segment does not say when it expires");
}

function release({ stopWatching, nextHop, files }: Standing): void {
  stopWatching();
  nextHop.close();
  files.close();
}

async function take(files: HeldFiles, { parameters }: Mechanism, { caller, signal }: IncomingCall): Promise<void> {
  const url = parameters[parameter.inodeUrl];
  if (isInodeUrl(url)) await files.take(url, caller, signal);
}

function within(milliseconds: number): OnwardCall {
  return { deadline: new Date(Date.now() + milliseconds), signal: AbortSignal.timeout(milliseconds) };
}

function wrong(
  code: 'CONNECTION_PATH' | 'CONNECTION_OF_ANOTHER' | 'SERVICE_UNKNOWN' | 'REQUEST_FAILED',
  subject: string,
  reason: string,
): CrosswireError {
  return new CrosswireError({ code, operation: 'manage a connection', subject, reason });
}
