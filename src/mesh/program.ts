// SPDX-License-Identifier: Apache-2.0
// What every program of a mesh has: an identity, tokens, a dialer and a server.

import type { Peer } from '../grpc/calls.ts';
import { GrpcDialer } from '../grpc/client/dialer.ts';
import { GrpcServer } from '../grpc/server/server.ts';
import type { UnixSockets } from '../grpc/unix-sockets.ts';
import { CrosswireError } from '../model/error.ts';
import type { Log } from '../model/log.ts';
import type { IdentitySource } from '../spiffe/identity.ts';
import { type Token, tokenFor } from '../spiffe/tokens/token.ts';

export interface ProgramParts {
  readonly identity: IdentitySource;
  readonly unixSockets: UnixSockets;
  readonly maxTokenMilliseconds: number;
  readonly log: Log;
}

export class MeshProgram {
  readonly log: Log;
  readonly dialer: GrpcDialer;
  readonly #parts: ProgramParts;

  constructor(parts: ProgramParts) {
    const { identity, unixSockets, log } = parts;
    this.#parts = parts;
    this.log = log;
    this.dialer = new GrpcDialer({ identity, unixSockets, issueToken: (peer) => this.issueToken(peer) });
  }

  /** Waits for an identity. Rejects with IDENTITY_MISSING, or with why there is none. */
  async ready(signal: AbortSignal): Promise<void> {
    const { identity } = this.#parts;
    try {
      await identity.ready(signal);
    } catch (cause) {
      throw identity.problem?.() ?? withoutIdentity(cause);
    }
  }

  server(): GrpcServer {
    const { identity, unixSockets, log } = this.#parts;
    const onRefused = (error: CrosswireError) => log.warn({ error }, 'a caller was not let in');
    return new GrpcServer({ identity, unixSockets, onRefused });
  }

  issueToken(peer: Peer): Promise<Token> {
    return tokenFor(peer, this.#parts.maxTokenMilliseconds);
  }

  close(): void {
    this.dialer.close();
    this.#parts.identity.close();
  }
}

function withoutIdentity(cause: unknown): CrosswireError {
  return new CrosswireError({
    code: 'IDENTITY_MISSING',
    operation: 'start',
    subject: '',
    reason: 'there is no identity yet',
    hint: 'see SPIFFE_ENDPOINT_SOCKET and CROSSWIRE_TLS_CERTIFICATE',
    cause,
  });
}
