// SPDX-License-Identifier: Apache-2.0
// A manager with its registry for one machine, in place of NSM's own: for demonstrations and tests. It knows no other nodes,
// no domains and no matches for forwarders, and forgets everything when it ends.

import type { GrpcServer } from '../../grpc/server/server.ts';
import { serve } from '../../nsm/chain/serve.ts';
import { NetworkServiceEndpointRegistryService, NetworkServiceRegistryService } from '../../nsm/generated/registry.ts';
import type { MeshProgram } from '../program.ts';
import { endpointRegistryHandlers, serviceRegistryHandlers } from './registry-handlers.ts';
import { LocalRegistry } from './registry.ts';
import { LocalManagerService } from './requests.ts';

export interface LocalManagerSettings {
  readonly name: string;
  readonly listenUrl: string;
}

const stopMilliseconds = 500;

export class LocalManager {
  readonly #settings: LocalManagerSettings;
  readonly #program: MeshProgram;
  readonly #registry = new LocalRegistry();
  readonly #service: LocalManagerService;
  readonly #server: GrpcServer;

  constructor(settings: LocalManagerSettings, program: MeshProgram) {
    this.#settings = settings;
    this.#program = program;
    this.#service = new LocalManagerService(settings.name, program, this.#registry);
    this.#server = program.server();
  }

  async start(): Promise<void> {
    const [registry, program, server] = [this.#registry, this.#program, this.#server];
    serve(server, this.#service);
    server.addService(NetworkServiceRegistryService, serviceRegistryHandlers(registry, program));
    server.addService(NetworkServiceEndpointRegistryService, endpointRegistryHandlers(registry, program));
    await server.listen(this.#settings.listenUrl);
  }

  async stop(): Promise<void> {
    await this.#server.stop(stopMilliseconds);
    this.#service.stop();
    this.#registry.close();
  }
}
