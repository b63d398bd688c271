// SPDX-License-Identifier: Apache-2.0
// A client of NSM with descriptors, over the project's own transport, for what cmd-nsc cannot do.

import { randomUUID } from 'node:crypto';
import { NativeUnixSockets } from '../../../src/dataplane/unix-sockets.ts';
import type { Connection } from '../../../src/nsm/generated/connection.ts';
import { NetworkServiceRequest, NetworkServiceService } from '../../../src/nsm/generated/networkservice.ts';
import { tokenFor } from '../../../src/spiffe/tokens/token.ts';
import type { NextHop } from '../../../src/grpc/calls.ts';
import { GrpcDialer } from '../../../src/grpc/client/dialer.ts';
import type { Namespace } from '../../support/namespace.ts';
import { patience } from '../../support/shell.ts';
import type { Mesh } from './mesh.ts';
import type { MeshAuthority } from './mesh-authority.ts';

export interface Wanted {
  readonly service: string;
  readonly interface?: string;
  /** Namespace of the interface; an endpoint that is asked directly chooses its own. */
  readonly where?: Namespace;
  /** KERNEL by default. */
  readonly mechanism?: 'KERNEL' | 'MEMIF' | 'VFIO' | 'NOOP';
  /** Further parameters of the mechanism. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Id of segment 0; a new one by default. */
  readonly id?: string;
}

/** More retries would be a fault of ours. */
const mostAgain = 20;

export class Requester {
  /** How often a fault of a peer made it retry. */
  askedAgain = 0;
  readonly #name: string;
  readonly #nextHop: NextHop;
  /** Closes the gRPC connection; the requested connections stay. */
  readonly end: () => Promise<void>;

  private constructor(name: string, nextHop: NextHop, end: () => Promise<void>) {
    this.#name = name;
    this.#nextHop = nextHop;
    this.end = end;
  }

  /** One connection to this server for the life of the mesh. */
  static async start(
    mesh: Pick<Mesh, 'onRemove'> & { authority: Pick<MeshAuthority, 'issue'> },
    name: string,
    url: string,
  ): Promise<Requester> {
    const identity = await mesh.authority.issue(name);
    const unixSockets = new NativeUnixSockets();
    const dialer = new GrpcDialer({
      unixSockets,
      identity: { current: () => identity },
      issueToken: (peer) => tokenFor(peer, 600_000),
    });
    const nextHop = await dialer.dial(url, AbortSignal.timeout(10_000 * patience));
    const end = async () => {
      nextHop.close();
      dialer.close();
      await unixSockets.close();
    };
    mesh.onRemove(end);
    return new Requester(name, nextHop, end);
  }

  async request({ service, where, mechanism: type = 'KERNEL', ...more }: Wanted): Promise<Connection> {
    const { id = randomUUID(), interface: name = '' } = more;
    const place = where ? { inodeURL: await this.#send(where), name } : {};
    const parameters = { ...place, ...more.parameters };
    return this.#call({
      connection: {
        id,
        networkService: service,
        path: { index: 0, pathSegments: [{ name: this.#name, id, expires: new Date(Date.now() + 600_000) }] },
      },
      mechanismPreferences: [{ cls: 'LOCAL', type, parameters }],
    });
  }

  /** Requests the same connection again, with its descriptor. */
  async refresh(connection: Connection, where: Namespace): Promise<Connection> {
    await this.#send(where);
    return this.#call({ connection });
  }

  async close(connection: Connection, where?: Namespace): Promise<void> {
    if (where) await this.#send(where);
    await this.#nextHop.unary(NetworkServiceService.close, connection, { deadline: soon() });
  }

  async #call(request: Parameters<typeof NetworkServiceRequest.fromPartial>[0]): Promise<Connection> {
    const message = NetworkServiceRequest.fromPartial(request);
    for (;;) {
      try {
        const { response } = await this.#nextHop.unary(NetworkServiceService.request, message, { deadline: soon() });
        return response;
      } catch (error) {
        // NSM's Go programs sometimes close a file before they have sent it (grpcfd); their clients retry.
        if (!String(error).includes('file already closed') || this.askedAgain >= mostAgain) throw error;
        this.askedAgain += 1;
      }
    }
  }

  async #send(where: Namespace): Promise<string> {
    const { descriptors } = this.#nextHop.peer;
    if (!descriptors) throw new Error(`${this.#nextHop.url} takes no descriptors`);
    return descriptors.send(where.path);
  }
}

function soon(): Date {
  return new Date(Date.now() + 15_000 * patience);
}
