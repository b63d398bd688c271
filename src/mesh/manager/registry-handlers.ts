// SPDX-License-Identifier: Apache-2.0
// The two registry services as grpc-js calls them. The url of a local endpoint is `inode://…` in both directions, and the
// descriptor of its socket is sent along.

import { Metadata, type ServerUnaryCall, type ServerWritableStream, type StatusObject } from '@grpc/grpc-js';
import type { Peer } from '../../grpc/calls.ts';
import { metadataKey } from '../../grpc/metadata-key.ts';
import { callerOf } from '../../grpc/server/caller.ts';
import { type IncomingCall, incomingCall } from '../../nsm/chain/call.ts';
import { statusOf } from '../../nsm/chain/status.ts';
import type { Empty } from '../../nsm/generated/google/protobuf/empty.ts';
import {
  type NetworkServiceEndpoint,
  type NetworkServiceEndpointQuery,
  type NetworkServiceEndpointRegistryServer,
  type NetworkServiceEndpointResponse,
  type NetworkServiceRegistryServer,
} from '../../nsm/generated/registry.ts';
import { isInodeUrl } from '../../nsm/inode-url.ts';
import { checkServerPolicies } from '../../spiffe/tokens/policies.ts';
import type { MeshProgram } from '../program.ts';
import { type EndpointEntry, isLike, type LocalRegistry } from './registry.ts';

/** Milliseconds that an entry lives, as with NSM's managers and registries. */
const longestLife = 60_000;

type Callback<Response> = (error: Partial<StatusObject> | null, response?: Response) => void;

/** Checks the caller's token and answers with the path, as NSM's registries do (sdk, registry/common/grpcmetadata). */
function guarded<Request, Response>(
  program: MeshProgram,
  work: (request: Request, call: IncomingCall) => Promise<Response> | Response,
) {
  return (call: ServerUnaryCall<Request, Response>, callback: Callback<Response>) => {
    const answer = async () => {
      const incoming = incomingCall(call as ServerUnaryCall<unknown, unknown>);
      const own = await program.issueToken(incoming.caller);
      const segments = [{ token: incoming.token?.token ?? '' }, { token: own.token }];
      await checkServerPolicies(segments, incoming.caller.certificate);
      const response = await work(call.request, incoming);
      const headers = new Metadata();
      headers.set(metadataKey.path, JSON.stringify({ Index: 0, PathSegments: segments }));
      call.sendMetadata(headers);
      return response;
    };
    answer().then(
      (response) => callback(null, response),
      (error: unknown) => callback(statusOf(error)),
    );
  };
}

const nothing: Empty = {};

export function serviceRegistryHandlers(registry: LocalRegistry, program: MeshProgram): NetworkServiceRegistryServer {
  return {
    register: guarded(program, (service, { caller }) => registry.registerService(service, caller.spiffeId)),
    unregister: guarded(program, (service, { caller }) => {
      registry.unregisterService(service.name, caller.spiffeId);
      return nothing;
    }),
    find: (call) => {
      for (const networkService of registry.services(call.request.networkService ?? {}))
        call.write({ networkService, deleted: false });
      if (!call.request.watch) call.end();
    },
  };
}

export function endpointRegistryHandlers(
  registry: LocalRegistry,
  program: MeshProgram,
): NetworkServiceEndpointRegistryServer {
  return {
    register: guarded(program, async (asked, call) => {
      const endpoint = withLife(asked, call);
      const entry = { endpoint, owner: call.caller.spiffeId };
      const descriptors = isInodeUrl(asked.url) ? call.caller.descriptors : undefined;
      const file = descriptors && (await descriptors.receive(asked.url, call.signal));
      try {
        registry.registerEndpoint(file ? { ...entry, file } : entry);
      } catch (error) {
        file?.close();
        throw error;
      }
      return endpoint;
    }),
    unregister: guarded(program, ({ name }, { caller }) => {
      registry.unregisterEndpoint(name, caller.spiffeId);
      return nothing;
    }),
    find: (call) => {
      find(call, registry).catch((error: unknown) => call.emit('error', statusOf(error)));
    },
  };
}

async function find(
  call: ServerWritableStream<NetworkServiceEndpointQuery, NetworkServiceEndpointResponse>,
  registry: LocalRegistry,
): Promise<void> {
  const { networkServiceEndpoint: like = {}, watch } = call.request;
  const caller = callerOf(call);
  for (const entry of registry.endpoints(like)) call.write(await asSent(entry, false, caller));
  if (!watch) return void call.end();
  // In order: sending a descriptor is asynchronous.
  let last = Promise.resolve();
  const stop = registry.watch((entry, deleted) => {
    if (!isLike(entry.endpoint, like)) return;
    last = last.then(async () => void call.write(await asSent(entry, deleted, caller))).catch(() => void call.end());
  });
  call.on('cancelled', stop).on('close', stop).on('error', stop);
}

async function asSent(
  { endpoint, file }: EndpointEntry,
  deleted: boolean,
  { descriptors }: Peer,
): Promise<NetworkServiceEndpointResponse> {
  if (!file || deleted || !descriptors) return { networkServiceEndpoint: endpoint, deleted };
  return { networkServiceEndpoint: { ...endpoint, url: await descriptors.send(file.path) }, deleted };
}

function withLife(endpoint: NetworkServiceEndpoint, { token, caller }: IncomingCall): NetworkServiceEndpoint {
  const now = Date.now();
  const life = Math.min(longestLife, (token?.expires.getTime() ?? now) - now);
  return {
    ...endpoint,
    expirationTime: new Date(now + life),
    initialRegistrationTime: endpoint.initialRegistrationTime ?? new Date(now),
    pathIds: [caller.spiffeId],
  };
}
