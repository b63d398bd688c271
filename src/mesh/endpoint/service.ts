// SPDX-License-Identifier: Apache-2.0
// The answers of an endpoint: addresses, an interface of its own namespace, and what its clients get by both.

import { CrosswireError } from '../../model/error.ts';
import { type Connection, type Mechanism, State } from '../../nsm/generated/connection.ts';
import { ConnectionContext } from '../../nsm/generated/connectioncontext.ts';
import type { NetworkServiceRequest } from '../../nsm/generated/networkservice.ts';
import { checkServerPolicies } from '../../spiffe/policies.ts';
import { mechanismType, parameter } from '../../nsm/names.ts';
import { clientOf, previousSegment, withSegment } from '../../nsm/path/path-segments.ts';
import { asCallerSees, locate, trimmed } from '../../nsm/path/update-path.ts';
import type { MeshProgram } from '../program.ts';
import { admitted } from '../../forwarder/admission.ts';
import { Expiry } from '../../forwarder/expiry.ts';
import { MonitorHub, type Watcher } from '../../forwarder/monitor-hub.ts';
import type { IncomingCall } from '../../forwarder/parts.ts';
import type { Peer } from '../../grpc/calls.ts';
import { Turns } from '../../forwarder/turns.ts';
import { AddressPool, type Pair } from './addresses.ts';
import { InterfaceNames } from './interface-names.ts';

export interface EndpointServiceSettings {
  readonly name: string;
  readonly netns: string;
  readonly cidr: string;
  /** NOOP: a device that is there already, and that whoever runs the endpoint sets up. */
  readonly mechanism: 'KERNEL' | 'MEMIF' | 'NOOP';
  readonly interfaceName: string;
}

export type EndpointObserver = (change: 'connected' | 'closed', connection: Connection) => void;

export class EndpointService {
  readonly #settings: EndpointServiceSettings;
  readonly #program: MeshProgram;
  readonly #onChange: EndpointObserver;
  readonly #addresses: AddressPool;
  readonly #names: InterfaceNames;
  readonly #turns = new Turns();
  readonly #monitor = new MonitorHub();
  readonly #standing = new Map<string, Connection>();
  readonly #expiry = new Expiry((id) => this.#end(id));

  constructor(settings: EndpointServiceSettings, program: MeshProgram, onChange: EndpointObserver) {
    this.#settings = settings;
    this.#program = program;
    this.#onChange = onChange;
    this.#addresses = new AddressPool(settings.cidr);
    this.#names = new InterfaceNames(settings.interfaceName);
  }

  async request(request: NetworkServiceRequest, call: IncomingCall): Promise<Connection> {
    const { connection: located, caller } = locate(mustHaveConnection(request), this.#settings.name);
    const answer = await this.#turns.take(located.id, async () => {
      const connection = await this.#admitted(located, call);
      const expires = previousSegment(connection)?.expires;
      if (!expires) throw withoutExpiry(connection);
      const asked = this.#choose(connection.mechanism, request.mechanismPreferences);
      const isNew = !this.#standing.has(connection.id);
      try {
        const made = await this.#answered(connection, asked, call);
        this.#standing.set(connection.id, made);
        this.#expiry.arm(connection.id, expires.getTime() - Date.now());
        this.#monitor.updated(made);
        if (isNew) this.#onChange('connected', made);
        return made;
      } catch (error) {
        if (isNew) this.#forget(connection.id);
        throw error;
      }
    });
    return asCallerSees(answer, caller);
  }

  async close(asked: Connection, call: IncomingCall): Promise<void> {
    const { connection: located } = locate(asked, this.#settings.name);
    await this.#turns.take(located.id, async () => {
      await this.#admitted(located, call);
      this.#end(located.id);
    });
  }

  async watch(watcher: Watcher): Promise<() => void> {
    return this.#monitor.watch(watcher);
  }

  stop(): void {
    this.#expiry.stop();
  }

  async #admitted(located: Connection, call: IncomingCall): Promise<Connection> {
    const issueToken = this.#program.issueToken.bind(this.#program);
    const connection = await admitted({ issueToken, checkCaller: checkServerPolicies }, located, call);
    const held = this.#standing.get(connection.id);
    if (!held || clientOf(held) === clientOf(connection)) return connection;
    throw new CrosswireError({
      code: 'CONNECTION_OF_ANOTHER',
      operation: 'find the connection',
      subject: `connection ${connection.id}`,
      reason: `it belongs to ${clientOf(held)}, not to ${clientOf(connection)}`,
    });
  }

  #choose(inUse: Mechanism | undefined, preferences: readonly Mechanism[]): Mechanism {
    const { mechanism: ours } = this.#settings;
    const wanted = inUse ? [inUse] : preferences;
    const chosen = wanted.find(({ type }) => type === ours);
    if (chosen) return chosen;
    throw new CrosswireError({
      code: 'MECHANISM_UNSUPPORTED',
      operation: 'choose a mechanism',
      subject: wanted.map(({ type }) => type).join(', ') || 'none',
      reason: `this endpoint has ${ours} only`,
    });
  }

  async #answered(connection: Connection, asked: Mechanism, { caller }: IncomingCall): Promise<Connection> {
    const { mechanism: type } = this.#settings;
    const context = ConnectionContext.fromPartial(connection.context ?? {});
    const { ipContext } = context;
    const had = ipContext?.srcIpAddrs[0];
    const pair = this.#addresses.take(connection.id, had, ipContext?.excludedPrefixes ?? []);
    const own = type === mechanismType.noop ? {} : await this.#ownEnd(connection, asked, caller);
    const name = own[parameter.interfaceName] ?? '';
    const made: Connection = {
      ...connection,
      state: State.UP,
      mechanism: { ...asked, parameters: { ...asked.parameters, ...own } },
      context: { ...context, ipContext: ipContextOf(context, pair) },
    };
    return trimmed(withSegment(made, 0, { metrics: { server_interface: `${type}/${name}` } }));
  }

  async #ownEnd({ id }: Connection, asked: Mechanism, caller: Peer): Promise<Mechanism['parameters']> {
    const { netns, mechanism: type } = this.#settings;
    const name = this.#names.take(id, asked.parameters[parameter.interfaceName]);
    if (!caller.descriptors) throw withoutDescriptors(caller.spiffeId);
    const inodeUrl = await caller.descriptors.send(netns);
    const own = { [parameter.inodeUrl]: inodeUrl, [parameter.interfaceName]: name };
    return type === mechanismType.memif ? { ...own, [parameter.socketFile]: `@${name}` } : own;
  }

  #end(id: string): void {
    const connection = this.#standing.get(id);
    this.#forget(id);
    if (!connection) return;
    this.#monitor.deleted(connection);
    this.#onChange('closed', connection);
  }

  #forget(id: string): void {
    this.#standing.delete(id);
    this.#expiry.disarm(id);
    this.#addresses.free(id);
    this.#names.free(id);
  }
}

/** Each side reaches the other by a route of its own: they share no network. */
function ipContextOf({ ipContext }: ConnectionContext, { client, endpoint }: Pair): ConnectionContext['ipContext'] {
  const route = (prefix: string) => ({ prefix, nextHop: '' });
  const own = {
    srcIpAddrs: [client],
    dstIpAddrs: [endpoint],
    srcRoutes: [route(endpoint)],
    dstRoutes: [route(client)],
  };
  return ConnectionContext.fromPartial({ ipContext: { ...ipContext, ...own } }).ipContext;
}

function mustHaveConnection({ connection }: NetworkServiceRequest): Connection {
  if (connection) return connection;
  throw new CrosswireError({
    code: 'CONNECTION_PATH',
    operation: 'read the Request',
    subject: '',
    reason: 'it has no connection',
  });
}

function withoutExpiry({ id }: Connection): CrosswireError {
  return new CrosswireError({
    code: 'CONNECTION_PATH',
    operation: 'find out how long the connection may stand',
    subject: `connection ${id}`,
    reason: "the caller's path segment does not say when it expires",
  });
}

function withoutDescriptors(spiffeId: string): CrosswireError {
  return new CrosswireError({
    code: 'FILE_NOT_SENT',
    operation: 'send the namespace of the endpoint',
    subject: spiffeId,
    reason: 'it called by TCP, which carries no descriptors',
    hint: 'only forwarders of the same node can reach a local endpoint',
  });
}
