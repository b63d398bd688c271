// SPDX-License-Identifier: Apache-2.0
// Request and Close of an endpoint: it answers with addresses and with an interface in its own namespace.

import type { Peer } from '../../grpc/calls.ts';
import { CrosswireError } from '../../model/error.ts';
import { authorized, mustBelongToClient } from '../../nsm/chain/authorize.ts';
import { connectionOf, type IncomingCall } from '../../nsm/chain/call.ts';
import { Monitor, type Watcher } from '../../nsm/chain/monitor.ts';
import { Serializer } from '../../nsm/chain/serialize.ts';
import type { NetworkService } from '../../nsm/chain/serve.ts';
import { expiryOf, Timeouts } from '../../nsm/chain/timeout.ts';
import { type Connection, type Mechanism, State } from '../../nsm/generated/connection.ts';
import { ConnectionContext } from '../../nsm/generated/connectioncontext.ts';
import type { NetworkServiceRequest } from '../../nsm/generated/networkservice.ts';
import { mechanismType, parameter } from '../../nsm/names.ts';
import { clientOf, withSegment } from '../../nsm/path/path-segments.ts';
import { asCallerSees, locate, trimmed } from '../../nsm/path/update-path.ts';
import { checkServerPolicies } from '../../spiffe/tokens/policies.ts';
import type { MeshProgram } from '../program.ts';
import { AddressPool, type Pair } from './addresses.ts';
import { InterfaceNames } from './interface-names.ts';

export interface EndpointServiceSettings {
  readonly name: string;
  readonly netns: string;
  readonly cidr: string;
  /** NOOP: the endpoint has a device already, which its operator sets up. */
  readonly mechanism: 'KERNEL' | 'MEMIF' | 'NOOP';
  readonly interfaceName: string;
}

export type EndpointObserver = (change: 'connected' | 'closed', connection: Connection) => void;

export class EndpointService implements NetworkService {
  readonly #settings: EndpointServiceSettings;
  readonly #program: MeshProgram;
  readonly #onChange: EndpointObserver;
  readonly #addresses: AddressPool;
  readonly #names: InterfaceNames;
  readonly #serializer = new Serializer();
  readonly #monitor = new Monitor();
  readonly #connections = new Map<string, Connection>();
  readonly #timeouts = new Timeouts((id) => this.#end(id));

  constructor(settings: EndpointServiceSettings, program: MeshProgram, onChange: EndpointObserver) {
    this.#settings = settings;
    this.#program = program;
    this.#onChange = onChange;
    this.#addresses = new AddressPool(settings.cidr);
    this.#names = new InterfaceNames(settings.interfaceName);
  }

  async request(request: NetworkServiceRequest, call: IncomingCall): Promise<Connection> {
    const { connection: located, caller } = locate(connectionOf(request), this.#settings.name);
    const answer = await this.#serializer.run(located.id, async () => {
      const connection = await this.#authorized(located, call);
      const expires = expiryOf(connection);
      const asked = this.#choose(connection.mechanism, request.mechanismPreferences);
      const isNew = !this.#connections.has(connection.id);
      try {
        const made = await this.#answered(connection, asked, call);
        this.#connections.set(connection.id, made);
        this.#timeouts.arm(connection.id, expires.getTime() - Date.now());
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
    await this.#serializer.run(located.id, async () => {
      await this.#authorized(located, call);
      this.#end(located.id);
    });
  }

  async watch(watcher: Watcher): Promise<() => void> {
    return this.#monitor.watch(watcher);
  }

  stop(): void {
    this.#timeouts.stop();
  }

  async #authorized(located: Connection, call: IncomingCall): Promise<Connection> {
    const issueToken = this.#program.issueToken.bind(this.#program);
    const connection = await authorized({ issueToken, checkCaller: checkServerPolicies }, located, call);
    const held = this.#connections.get(connection.id);
    if (held) mustBelongToClient(clientOf(held), connection, call);
    return connection;
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
    const connection = this.#connections.get(id);
    this.#forget(id);
    if (!connection) return;
    this.#monitor.deleted(connection);
    this.#onChange('closed', connection);
  }

  #forget(id: string): void {
    this.#connections.delete(id);
    this.#timeouts.disarm(id);
    this.#addresses.free(id);
    this.#names.free(id);
  }
}

/** The two addresses share no network, so each side gets a route to the other. */
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

function withoutDescriptors(spiffeId: string): CrosswireError {
  return new CrosswireError({
    code: 'FILE_NOT_SENT',
    operation: 'send the namespace of the endpoint',
    subject: spiffeId,
    reason: 'it called by TCP, which carries no descriptors',
    hint: 'only forwarders of the same node can reach a local endpoint',
  });
}
