// SPDX-License-Identifier: Apache-2.0
// A stock gRPC client with an SVID: what any program of the mesh can do without descriptors.

import { type CallOptions, Client, credentials, Metadata, type MethodDefinition } from '@grpc/grpc-js';
import type { Identity } from '../../../src/spiffe/identity.ts';
import type { Mesh } from './mesh.ts';

/** Closed with the mesh. */
export function plainClient(mesh: Mesh, self: Identity, url: string): Client {
  const [key, chain] = [Buffer.from(self.privateKey), Buffer.from(self.certificates)];
  // SVIDs name no host: only the URI counts.
  const trust = { checkServerIdentity: () => undefined };
  const target = url.replace(/^tcp:\/\//, '').replace(/^unix:\/\//, 'unix:');
  const client = new Client(target, credentials.createSsl(Buffer.from(mesh.authority.bundle), key, chain, trust));
  mesh.onRemove(async () => client.close());
  return client;
}

/** Rejects with the gRPC error. */
export function unary<Request, Response>(
  client: Client,
  method: MethodDefinition<Request, Response>,
  request: Request,
  metadata = new Metadata(),
  options: CallOptions = { deadline: Date.now() + 15_000 },
): Promise<Response> {
  const { path, requestSerialize, responseDeserialize } = method;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, options, (error, answer) =>
      error ? reject(error) : resolve(answer as Response),
    );
  });
}
