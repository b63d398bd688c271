// SPDX-License-Identifier: Apache-2.0
// Request and Close at the manager: each goes on to a forwarder, the previous one if it is still there.

import type { NextHop } from '../../grpc/calls.ts';
import { CrosswireError } from '../../model/error.ts';
import { authorized, mustBelongToClient } from '../../nsm/chain/authorize.ts';
import { connectionOf, type IncomingCall } from '../../nsm/chain/call.ts';
import { HeldFiles } from '../../nsm/chain/held-files.ts';
import { Monitor, type Watcher } from '../../nsm/chain/monitor.ts';
import { watchOnward } from '../../nsm/chain/onward-events.ts';
import { closeOnward, type OnwardCall, requestOnward, within } from '../../nsm/chain/onward.ts';
import { Serializer } from '../../nsm/chain/serialize.ts';
import type { NetworkService } from '../../nsm/chain/serve.ts';
import { expiryOf, Timeouts } from '../../nsm/chain/timeout.ts';
import { type Connection, type Mechanism, State } from '../../nsm/generated/connection.ts';
import type { NetworkServiceRequest } from '../../nsm/generated/networkservice.ts';
import { isInodeUrl } from '../../nsm/inode-url.ts';
import { parameter } from '../../nsm/names.ts';
import { clientOf } from '../../nsm/path/path-segments.ts';
import { asCallerSees, locate } from '../../nsm/path/update-path.ts';
import { checkServerPolicies } from '../../spiffe/tokens/policies.ts';
import type { MeshProgram } from '../program.ts';
import type { EndpointEntry, LocalRegistry } from './registry.ts';

interface Established {
  connection: Connection;
  readonly forwarder: string;
  readonly nextHop: NextHop;
  readonly files: HeldFiles;
  readonly stopWatching: () => void;
}

const closeMilliseconds = 5_000;
/** The service under which forwarders register. */
const forwarderService = 'forwarder';

export class LocalManagerService implements NetworkService {
  readonly #name: string;
  readonly #program: MeshProgram;
  readonly #registry: LocalRegistry;
  readonly #monitor = new Monitor();
  readonly #serializer = new Serializer();
  readonly #established = new Map<string, Established>();
  readonly #timeouts = new Timeouts((id) => void this.#serializer.run(id, () => this.#end(id)));

  constructor(name: string, program: MeshProgram, registry: LocalRegistry) {
    this.#name = name;
    this.#program = program;
    this.#registry = registry;
  }

  async request(request: NetworkServiceRequest, call: IncomingCall): Promise<Connection> {
    const { mechanismPreferences: preferences } = request;
    const { connection: located, caller } = locate(connectionOf(request), this.#name);
    const spare = call.deadline.getTime() - Date.now();
    const answer = await this.#serializer.run(located.id, async () => {
      const connection = await this.#authorized(located, call);
      if (connection.state === State.RESELECT_REQUESTED) await this.#end(connection.id, call);
      const files = this.#established.get(connection.id)?.files ?? new HeldFiles();
      for (const mechanism of [...preferences, ...(connection.mechanism ? [connection.mechanism] : [])])
        await take(files, mechanism, call);
      try {
        const made = await this.#establish(connection, preferences, files, call);
        // Early enough for a Close with tokens that are still valid (sdk, pkg/networkservice/common/timeout).
        this.#timeouts.arm(made.id, expiryOf(connection).getTime() - Date.now() - spare);
        return made;
      } catch (error) {
        if (!this.#established.has(connection.id)) files.close();
        throw error;
      }
    });
    return asCallerSees(answer, caller);
  }

  async close(asked: Connection, call: IncomingCall): Promise<void> {
    const { connection: located } = locate(asked, this.#name);
    await this.#serializer.run(located.id, async () => {
      const { id, path } = await this.#authorized(located, call);
      const held = this.#established.get(id);
      if (!held) return;
      held.connection = { ...held.connection, path };
      await this.#end(id, call);
    });
  }

  async watch(watcher: Watcher): Promise<() => void> {
    return this.#monitor.watch(watcher);
  }

  /** Connections stay as they are: their clients request them again. */
  stop(): void {
    this.#timeouts.stop();
    for (const held of this.#established.values()) release(held);
    this.#established.clear();
  }

  async #authorized(located: Connection, call: IncomingCall): Promise<Connection> {
    const issueToken = this.#program.issueToken.bind(this.#program);
    const connection = await authorized({ issueToken, checkCaller: checkServerPolicies }, located, call);
    const held = this.#established.get(connection.id)?.connection;
    if (held) mustBelongToClient(clientOf(held), connection, call);
    return connection;
  }

  async #establish(
    connection: Connection,
    preferences: readonly Mechanism[],
    files: HeldFiles,
    call: IncomingCall,
  ): Promise<Connection> {
    const { networkService: service, path } = connection;
    expiryOf(connection);
    if (this.#registry.services({ name: service }).length === 0)
      throw failed('SERVICE_UNKNOWN', `service ${service}`, 'it is not registered');
    const previous = this.#established.get(connection.id)?.forwarder ?? path?.pathSegments[path.index + 1]?.name;
    const forwarders = this.#registry
      .endpoints({ networkServiceNames: [forwarderService] })
      .filter(({ endpoint }) => endpoint.networkServiceLabels[forwarderService]?.labels['p2p'] === 'true')
      .toSorted((a, b) => Number(b.endpoint.name === previous) - Number(a.endpoint.name === previous));
    const failures: string[] = [];
    for (const forwarder of forwarders) {
      try {
        return await this.#requestAt(forwarder, connection, preferences, files, call);
      } catch (error) {
        failures.push(`${forwarder.endpoint.name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    const reason = forwarders.length === 0 ? 'no forwarder is registered' : failures.join('; ');
    throw failed('REQUEST_FAILED', `connection ${connection.id}`, reason);
  }

  async #requestAt(
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
      this.#keep(answer, name, nextHop, files);
      return answer;
    } catch (error) {
      nextHop.close();
      throw error;
    }
  }

  #keep(connection: Connection, forwarder: string, nextHop: NextHop, files: HeldFiles): void {
    const previous = this.#established.get(connection.id);
    previous?.stopWatching();
    previous?.nextHop.close();
    const tell = (state: State) => {
      if (this.#established.get(connection.id) !== held || held.connection.state === state) return;
      held.connection = { ...held.connection, state };
      this.#monitor.updated(held.connection);
    };
    const stopWatching = watchOnward(nextHop, connection, {
      onEvent: (_, state) => tell(state),
      onEnd: () => tell(State.DOWN),
    });
    const held: Established = { connection, forwarder, nextHop, files, stopWatching };
    this.#established.set(connection.id, held);
    this.#monitor.updated(connection);
  }

  async #end(id: string, call: OnwardCall = within(closeMilliseconds)): Promise<void> {
    const held = this.#established.get(id);
    if (!held) return;
    this.#established.delete(id);
    this.#timeouts.disarm(id);
    held.stopWatching();
    await closeOnward(held.nextHop, held.connection, held.files, call).catch((error: unknown) =>
      this.#program.log.warn(
        { connection: id, forwarder: held.forwarder, error },
        'the forwarder did not take the Close',
      ),
    );
    release(held);
    this.#monitor.deleted(held.connection);
  }
}

function release({ stopWatching, nextHop, files }: Established): void {
  stopWatching();
  nextHop.close();
  files.close();
}

async function take(files: HeldFiles, { parameters }: Mechanism, { caller, signal }: IncomingCall): Promise<void> {
  const url = parameters[parameter.inodeUrl];
  if (isInodeUrl(url)) await files.take(url, caller, signal);
}

function failed(code: 'SERVICE_UNKNOWN' | 'REQUEST_FAILED', subject: string, reason: string): CrosswireError {
  return new CrosswireError({ code, operation: 'manage a connection', subject, reason });
}
