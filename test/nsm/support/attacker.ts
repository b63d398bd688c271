// SPDX-License-Identifier: Apache-2.0
// A hostile member of the mesh: its SVID is valid, everything else is of its choice.

import { type Client, Metadata, status } from '@grpc/grpc-js';
import { importPKCS8, type JWTPayload, SignJWT } from 'jose';
import { Connection } from '../../../src/nsm/generated/connection.ts';
import { NetworkServiceRequest, NetworkServiceService } from '../../../src/nsm/generated/networkservice.ts';
import type { Identity } from '../../../src/spiffe/identity.ts';
import type { Forwarder } from './forwarder.ts';
import type { Mesh } from './mesh.ts';
import { plainClient, unary } from './plain-client.ts';

export interface Segment {
  readonly name: string;
  readonly id: string;
  readonly token?: string;
}

export class Attacker {
  readonly self: Identity;
  readonly client: Client;
  readonly #victim: string;

  private constructor(self: Identity, client: Client, victim: string) {
    this.self = self;
    this.client = client;
    this.#victim = victim;
  }

  static async start(mesh: Mesh, forwarder: Forwarder): Promise<Attacker> {
    const self = await mesh.authority.issue('attacker');
    return new Attacker(self, plainClient(mesh, self, forwarder.listenUrl), `spiffe://test.nsm/${forwarder.name}`);
  }

  /** A token that passes the policies, except for the given claims. */
  async token(claims: JWTPayload = {}, signer: Identity = this.self): Promise<string> {
    const exp = Math.floor(Date.now() / 1000) + 600;
    const payload = { sub: this.self.spiffeId, aud: [this.#victim], exp, ...claims };
    const key = await importPKCS8(signer.privateKey, 'ES256');
    return new SignJWT(payload).setProtectedHeader({ alg: 'ES256', typ: 'JWT' }).sign(key);
  }

  /** The attacker's own path, with the given segments before and behind. */
  connection(before: readonly Segment[] = [], behind: readonly Segment[] = []): Connection {
    const own = { name: 'attacker', id: 'attacker-0' };
    const pathSegments = [...before, own, ...behind].map((segment) => ({ ...segment, expires: inAnHour() }));
    return Connection.fromPartial({
      id: own.id,
      networkService: 'svc-1',
      path: { index: before.length, pathSegments },
    });
  }

  /** The status of a Request for this connection. */
  async request(connection: Connection, token: string | undefined, inodeUrl = '', seconds = 5): Promise<status> {
    const parameters = { inodeURL: inodeUrl, name: 'nsm-9' };
    const request = NetworkServiceRequest.fromPartial({
      connection,
      mechanismPreferences: [{ cls: 'LOCAL', type: 'KERNEL', parameters }],
    });
    const deadline = { deadline: Date.now() + seconds * 1000 };
    return codeOf(unary(this.client, NetworkServiceService.request, request, withToken(token), deadline));
  }

  async close(connection: Connection, token: string): Promise<status> {
    return codeOf(unary(this.client, NetworkServiceService.close, connection, withToken(token)));
  }
}

export async function codeOf(call: Promise<unknown>): Promise<status> {
  return call.then(
    () => status.OK,
    (error: { code: status }) => error.code,
  );
}

function withToken(token: string | undefined): Metadata {
  const metadata = new Metadata();
  if (token === undefined) return metadata;
  metadata.set('nsm-client-token', token);
  metadata.set('nsm-client-token-expires', inAnHour().toISOString());
  return metadata;
}

function inAnHour(): Date {
  return new Date(Date.now() + 3_600_000);
}
