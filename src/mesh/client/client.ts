// SPDX-License-Identifier: Apache-2.0
// A client of NSM for one connection: requests it, refreshes it, and closes it. It heals the connection when its path breaks
// and, with the liveness check, when the other side does not answer.

import { setTimeout as sleep } from 'node:timers/promises';
import type { NextHop } from '../../grpc/calls.ts';
import { HeldFiles } from '../../nsm/chain/held-files.ts';
import { watchOnward } from '../../nsm/chain/onward-events.ts';
import { closeOnward, requestOnward } from '../../nsm/chain/onward.ts';
import { type Connection, State } from '../../nsm/generated/connection.ts';
import { mechanismClass, parameter } from '../../nsm/names.ts';
import { Manager } from '../../nsm/registry/manager.ts';
import { checkClientPolicies } from '../../spiffe/tokens/policies.ts';
import type { MeshProgram } from '../program.ts';
import { Liveness, type Pinger } from './liveness.ts';
import { type Wanted, firstRequest, refreshDelay, reselecting, withOwnToken } from './requests.ts';

export interface ClientSettings extends Wanted {
  readonly managerUrl: string;
  readonly dialMilliseconds: number;
  readonly maxTokenMilliseconds: number;
  /** Path of the namespace that gets the interface, or holds the memif socket. */
  readonly netns: string;
  /** Whether the other side is pinged, how often, and how long it may be silent. */
  readonly livenessCheck: boolean;
  readonly livenessIntervalMilliseconds: number;
  readonly livenessTimeoutMilliseconds: number;
}

/** Milliseconds for one call, as in NSM's own client. Servers close a connection that much before its token expires, so a short
 *  token shortens the call. */
const longestCall = 15_000;
const retryMilliseconds = 200;

export class Client {
  readonly #settings: ClientSettings;
  readonly #program: MeshProgram;
  readonly #manager: Manager;
  readonly #files = new HeldFiles();
  readonly #stopping = new AbortController();
  readonly #liveness: Liveness | undefined;
  #connection: Connection | undefined;
  #stopWatching = () => {};
  #broken = Promise.withResolvers<void>();
  #keeping: Promise<void> | undefined;

  constructor(settings: ClientSettings, program: MeshProgram, pinger: Pinger) {
    this.#settings = settings;
    this.#program = program;
    this.#manager = new Manager(settings.managerUrl, program.dialer, settings.dialMilliseconds);
    this.#liveness = settings.livenessCheck ? this.#makeLiveness(pinger) : undefined;
  }

  /** Rejects when the first Request does; afterwards the connection is refreshed and healed. */
  async connect(): Promise<Connection> {
    const connection = await this.#request(firstRequest(this.#settings));
    this.#keeping = this.#keep();
    return connection;
  }

  /** Closes the connection. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#keeping;
    this.#stopWatching();
    this.#liveness?.stop();
    try {
      if (this.#connection) await this.#close(this.#connection);
    } finally {
      this.#manager.close();
    }
  }

  async #keep(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted && this.#connection) {
      const due = new AbortController();
      const timer = sleep(refreshDelay(this.#connection), undefined, {
        signal: AbortSignal.any([signal, due.signal]),
      }).catch(() => {});
      await Promise.race([timer, this.#broken.promise]);
      due.abort();
      if (!signal.aborted) await this.#renew(this.#connection);
    }
  }

  /** Refreshes the connection; where that fails, or nobody answers pings, reselects endpoint and forwarder, until it works. While
   *  somebody answers, the wire works and is kept (sdk, pkg/networkservice/common/heal). */
  async #renew(connection: Connection): Promise<void> {
    const { signal } = this.#stopping;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        const asItIs = this.#liveness?.alive ?? attempt === 0;
        await this.#request(asItIs ? connection : reselecting(connection));
        if (attempt > 0 || !asItIs) this.#program.log.info({ connection: connection.id }, 'connected again');
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#program.log.warn({ connection: connection.id, error }, 'not connected; asking again');
        await sleep(retryMilliseconds, undefined, { signal }).catch(() => {});
      }
    }
  }

  async #request(wanted: Connection): Promise<Connection> {
    const call = this.#call();
    const nextHop = await this.#manager.connect(call.signal);
    const inodeUrl = await this.#sendNamespace(nextHop);
    const { mechanism: type, interfaceName: name, deviceToken } = this.#settings;
    const parameters = {
      [parameter.inodeUrl]: inodeUrl,
      [parameter.interfaceName]: name,
      ...(deviceToken ? { [parameter.tokenId]: deviceToken } : {}),
    };
    const offer = { cls: mechanismClass.local, type, parameters };
    const asked = withOwnToken(wanted, await this.#program.issueToken(nextHop.peer));
    const answer = await requestOnward(nextHop, asked, [offer], this.#files, call);
    try {
      await checkClientPolicies(answer.path ?? { index: 0, pathSegments: [] }, nextHop.peer.certificate);
    } catch (error) {
      if (!this.#connection) await closeOnward(nextHop, answer, this.#files, call).catch(() => {});
      throw error;
    }
    this.#follow(nextHop, answer);
    return answer;
  }

  #follow(nextHop: NextHop, answer: Connection): void {
    this.#stopWatching();
    this.#connection = answer;
    this.#liveness?.watch(answer);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#broken = { promise, resolve, reject };
    this.#stopWatching = watchOnward(nextHop, answer, {
      onEvent: (_, state) => {
        if (state !== State.UP) resolve();
      },
      onEnd: resolve,
    });
  }

  #makeLiveness(pinger: Pinger): Liveness {
    const { netns, livenessIntervalMilliseconds: intervalMilliseconds } = this.#settings;
    const { livenessTimeoutMilliseconds: timeoutMilliseconds } = this.#settings;
    const { log } = this.#program;
    return new Liveness(
      { netns, intervalMilliseconds, timeoutMilliseconds },
      {
        pinger,
        onSilence: (from, to) => {
          log.warn({ from, to, timeoutMilliseconds }, 'nobody answers pings; asking again');
          this.#broken.resolve();
        },
        onImpossible: (reason) => log.warn({ reason }, 'no pings from there: the wire is not checked'),
      },
    );
  }

  async #close(connection: Connection): Promise<void> {
    const call = this.#call();
    const nextHop = await this.#manager.connect(call.signal);
    await this.#sendNamespace(nextHop);
    await closeOnward(
      nextHop,
      withOwnToken(connection, await this.#program.issueToken(nextHop.peer)),
      this.#files,
      call,
    );
  }

  #call() {
    const milliseconds = Math.min(longestCall, this.#settings.maxTokenMilliseconds / 2);
    return { deadline: new Date(Date.now() + milliseconds), signal: AbortSignal.timeout(Math.floor(milliseconds)) };
  }

  async #sendNamespace({ peer, url }: NextHop): Promise<string> {
    const { netns: path } = this.#settings;
    if (!peer.descriptors) throw new Error(`${url} is no unix socket`);
    const inodeUrl = await peer.descriptors.send(path);
    this.#files.add(inodeUrl, { path, close: () => {} });
    return inodeUrl;
  }
}
