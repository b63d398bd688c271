// SPDX-License-Identifier: Apache-2.0
// Calls kubelet. Each call opens a connection of its own: calls are rare, and kubelet replaces its sockets when it restarts.

import { Client, credentials, type MethodDefinition } from '@grpc/grpc-js';
import { CrosswireError } from '../model/error.ts';

const longestMilliseconds = 10_000;

/** Rejects with KUBELET_UNREACHABLE. */
export async function callKubelet<Request, Response>(
  socket: string,
  method: MethodDefinition<Request, Response>,
  request: Request,
): Promise<Response> {
  const client = new Client(`unix:${socket}`, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const { path, requestSerialize, responseDeserialize } = method;
  const deadline = Date.now() + longestMilliseconds;
  client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, { deadline }, (error, response) =>
    error ? reject(error) : resolve(response as Response),
  );
  try {
    return await promise;
  } catch (cause) {
    const operation = `call kubelet's ${path}`;
    const reason = (cause as Error).message;
    throw new CrosswireError({ code: 'KUBELET_UNREACHABLE', operation, subject: socket, reason, cause });
  } finally {
    client.close();
  }
}
