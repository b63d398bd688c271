// SPDX-License-Identifier: Apache-2.0
// A FAKE of kubelet's device manager: it speaks the real API over real sockets in a temporary directory (kubelet's own is
// fixed), and gives devices to pods that exist only as names.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, type ClientReadableStream, credentials, Server, ServerCredentials } from '@grpc/grpc-js';
import {
  type AllocateResponse,
  DevicePluginService,
  type ListAndWatchResponse,
  type RegisterRequest,
  RegistrationService,
} from '../../src/kubernetes/generated/deviceplugin.ts';
import { PodResourcesListerService } from '../../src/kubernetes/generated/podresources.ts';

interface Plugin {
  readonly client: Client;
  readonly stream: ClientReadableStream<ListAndWatchResponse>;
  /** Every list that the plugin sent, as id → health. */
  readonly lists: Map<string, string>[];
}

export class FakeKubelet {
  readonly directory = mkdtempSync(join(tmpdir(), 'crosswire-kubelet-'));
  readonly podResourcesDirectory = mkdtempSync(join(tmpdir(), 'crosswire-kubelet-'));
  readonly podResourcesSocket = join(this.podResourcesDirectory, 'kubelet.sock');
  readonly registrations: RegisterRequest[] = [];
  /** The devices of pods in its answers: resource → ids. */
  readonly given = new Map<string, string[]>();
  readonly #plugins = new Map<string, Plugin>();
  #servers: Server[] = [];

  /** Deletes everything in its directory first, as the real kubelet does. */
  async start(): Promise<void> {
    for (const file of readdirSync(this.directory)) rmSync(join(this.directory, file));
    rmSync(this.podResourcesSocket, { force: true });
    const registration = new Server();
    registration.addService(RegistrationService, {
      register: ({ request }: { request: RegisterRequest }, answer: (error: null, response: object) => void) => {
        this.registrations.push(request);
        this.#watch(request);
        answer(null, {});
      },
    });
    const resources = new Server();
    resources.addService(PodResourcesListerService, {
      list: (_call: unknown, answer: (error: null, response: object) => void) => answer(null, this.#pods()),
    });
    this.#servers = [registration, resources];
    await bind(resources, this.podResourcesSocket);
    await bind(registration, join(this.directory, 'kubelet.sock'));
  }

  stop(): void {
    for (const { client, stream } of this.#plugins.values()) {
      stream.cancel();
      client.close();
    }
    this.#plugins.clear();
    for (const server of this.#servers.splice(0)) server.forceShutdown();
  }

  close(): void {
    this.stop();
    for (const directory of [this.directory, this.podResourcesDirectory])
      rmSync(directory, { recursive: true, force: true });
  }

  lists(resource: string): readonly Map<string, string>[] {
    return this.#plugins.get(resource)?.lists ?? [];
  }

  /** The healthy devices of the newest list. */
  healthy(resource: string): string[] {
    return [...(this.lists(resource).at(-1) ?? [])].flatMap(([id, health]) => (health === 'Healthy' ? [id] : []));
  }

  async allocate(resource: string, ...ids: string[]): Promise<AllocateResponse> {
    const { promise, resolve, reject } = Promise.withResolvers<AllocateResponse>();
    const { path, requestSerialize, responseDeserialize } = DevicePluginService.allocate;
    const request = { containerRequests: [{ devicesIds: ids }] };
    const { client } = this.#plugins.get(resource) as Plugin;
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, response) =>
      error ? reject(error) : resolve(response as AllocateResponse),
    );
    return promise;
  }

  #watch({ endpoint, resourceName }: RegisterRequest): void {
    const client = new Client(`unix:${join(this.directory, endpoint)}`, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    });
    const { path, requestSerialize, responseDeserialize } = DevicePluginService.listAndWatch;
    const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {});
    const lists: Map<string, string>[] = [];
    stream.on('data', ({ devices }: ListAndWatchResponse) =>
      lists.push(new Map(devices.map(({ ID, health }) => [ID, health]))),
    );
    stream.on('error', () => {}); // the plugin is gone; the real kubelet waits for the next registration
    this.#plugins.set(resourceName, { client, stream, lists });
  }

  #pods(): object {
    const containers = [...this.given].map(([resourceName, deviceIds]) => ({
      name: 'c',
      devices: [{ resourceName, deviceIds }],
    }));
    return { podResources: [{ name: 'pod', namespace: 'default', containers }] };
  }
}

async function bind(server: Server, socket: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) =>
    error ? reject(error) : resolve(),
  );
  await promise;
}
