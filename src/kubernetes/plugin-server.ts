// SPDX-License-Identifier: Apache-2.0
// Serves the device plugin API for one resource (k8s.io/kubelet, deviceplugin/v1beta1). There is no authentication: kubelet
// has no credentials, and only root may enter the directory of the socket.

import { rm } from 'node:fs/promises';
import {
  type handleServerStreamingCall,
  Server,
  ServerCredentials,
  type ServerWritableStream,
  status,
} from '@grpc/grpc-js';
import { type DevicePluginServer, DevicePluginService, type ListAndWatchResponse } from './generated/deviceplugin.ts';
import type { TokenPool } from './tokens.ts';

/** The variable from which NSM's clients and endpoints read their tokens, separated by commas. */
const environmentPrefix = 'NSM_SRIOV_TOKENS_';

type Watch = ServerWritableStream<unknown, ListAndWatchResponse>;

export class PluginServer {
  readonly resource: string;
  readonly #pool: TokenPool;
  readonly #server = new Server();
  readonly #socket: string;
  readonly #watches = new Set<Watch>();
  readonly #watched = Promise.withResolvers<void>();
  readonly #stopListening: () => void;

  constructor(pool: TokenPool, resource: string, socket: string) {
    this.resource = resource;
    this.#pool = pool;
    this.#socket = socket;
    this.#server.addService(DevicePluginService, this.#handlers());
    this.#stopListening = pool.onChange(() => this.#tellAll());
  }

  /** Replaces a socket that an earlier run left. */
  async listen(): Promise<void> {
    await rm(this.#socket, { force: true });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.bindAsync(`unix:${this.#socket}`, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    );
    await promise;
  }

  /** Waits until kubelet has called ListAndWatch: only then does it know the devices. False if it does not in time. */
  async isWatched(milliseconds: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<false>();
    const timer = setTimeout(resolve, milliseconds, false);
    const watched = await Promise.race([this.#watched.promise.then(() => true), promise]);
    clearTimeout(timer);
    return watched;
  }

  async close(): Promise<void> {
    this.#stopListening();
    this.#server.forceShutdown();
    await rm(this.#socket, { force: true });
  }

  #handlers(): DevicePluginServer {
    const listAndWatch: handleServerStreamingCall<unknown, ListAndWatchResponse> = (call) => {
      this.#watches.add(call);
      call.on('cancelled', () => this.#watches.delete(call));
      call.write(this.#devices());
      this.#watched.resolve();
    };
    return {
      getDevicePluginOptions: (_call, answer) =>
        answer(null, { preStartRequired: false, getPreferredAllocationAvailable: false }),
      listAndWatch,
      getPreferredAllocation: ({ request }, answer) =>
        answer(null, {
          containerResponses: request.containerRequests.map((one) => {
            const ids = new Set([...one.mustIncludeDeviceIDs, ...one.availableDeviceIDs]);
            return { deviceIDs: [...ids].slice(0, Math.max(0, one.allocationSize)) };
          }),
        }),
      allocate: ({ request }, answer) => {
        const containers = request.containerRequests.map(({ devicesIds }) => devicesIds);
        try {
          this.#pool.allocate(containers.flat());
        } catch (error) {
          return answer({ code: status.FAILED_PRECONDITION, details: (error as Error).message });
        }
        const name = environmentPrefix + this.resource;
        answer(null, { containerResponses: containers.map((ids) => ({ envs: { [name]: ids.join(',') } })) });
      },
      preStartContainer: (_call, answer) => answer(null, {}),
    };
  }

  #devices(): ListAndWatchResponse {
    const health = (healthy: boolean) => (healthy ? 'Healthy' : 'Unhealthy');
    const tokens = this.#pool.tokens(this.resource);
    return { devices: tokens.map(({ id, healthy }) => ({ ID: id, health: health(healthy), topology: undefined })) };
  }

  #tellAll(): void {
    const devices = this.#devices();
    for (const watch of this.#watches) watch.write(devices);
  }
}
