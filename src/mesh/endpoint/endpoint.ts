// SPDX-License-Identifier: Apache-2.0
// An endpoint of NSM: serves one service from one namespace, and is registered while it runs.

import { Metadata } from '@grpc/grpc-js';
import type { NextHop } from '../../grpc/calls.ts';
import { metadataKey } from '../../grpc/metadata-key.ts';
import type { GrpcServer } from '../../grpc/server/server.ts';
import { registryPolicies } from '../../model/registry-policy.ts';
import { serve } from '../../nsm/chain/serve.ts';
import {
  NetworkService,
  NetworkServiceEndpoint,
  NetworkServiceEndpointRegistryService,
  NetworkServiceQuery,
  NetworkServiceRegistryService,
} from '../../nsm/generated/registry.ts';
import { Manager } from '../../nsm/registry/manager.ts';
import { Registration } from '../../nsm/registry/registration.ts';
import type { MeshProgram } from '../program.ts';
import { type EndpointObserver, EndpointService, type EndpointServiceSettings } from './service.ts';

export interface EndpointSettings extends EndpointServiceSettings {
  readonly managerUrl: string;
  readonly dialMilliseconds: number;
  readonly listenUrl: string;
  readonly service: string;
  readonly payload: 'IP' | 'ETHERNET';
  readonly labels: Readonly<Record<string, string>>;
}

const stopMilliseconds = 2_000;

export class Endpoint {
  readonly #settings: EndpointSettings;
  readonly #program: MeshProgram;
  readonly #manager: Manager;
  readonly #service: EndpointService;
  readonly #server: GrpcServer;
  readonly #registration: Registration;

  constructor(settings: EndpointSettings, program: MeshProgram, onChange: EndpointObserver, onRegistered: () => void) {
    this.#settings = settings;
    this.#program = program;
    this.#manager = new Manager(settings.managerUrl, program.dialer, settings.dialMilliseconds);
    this.#service = new EndpointService(settings, program, onChange);
    this.#server = program.server();
    this.#registration = new Registration(
      { ...settings, registryPolicies },
      {
        manager: async (signal) => {
          const manager = await this.#manager.connect(signal);
          await this.#offerService(manager, signal);
          return manager;
        },
        onRegistered,
        onFailed: (error) => program.log.warn({ error, manager: settings.managerUrl }, 'not registered; trying again'),
      },
    );
  }

  async start(): Promise<void> {
    serve(this.#server, this.#service);
    await this.#server.listen(this.#settings.listenUrl);
    this.#registration.start();
  }

  async stop(): Promise<void> {
    await this.#registration.stop();
    await this.#unregister().catch((error: unknown) =>
      this.#program.log.warn({ error }, 'not unregistered: the entry stays until it expires'),
    );
    await this.#server.stop(stopMilliseconds);
    this.#service.stop();
    this.#manager.close();
  }

  /** A registered service stays as it is: somebody may have given it matches. */
  async #offerService(manager: NextHop, signal: AbortSignal): Promise<void> {
    const { service: name, payload } = this.#settings;
    const query = NetworkServiceQuery.fromPartial({ networkService: { name } });
    const answers = manager.stream(NetworkServiceRegistryService.find, query, { signal });
    for await (const { networkService: known } of answers) if (known?.name === name) return;
    const offer = NetworkService.fromPartial({ name, payload });
    await manager.unary(NetworkServiceRegistryService.register, offer, { signal, metadata: beginningOfPath() });
  }

  async #unregister(): Promise<void> {
    const signal = AbortSignal.timeout(stopMilliseconds);
    const manager = await this.#manager.connect(signal);
    const { name, service } = this.#settings;
    const entry = NetworkServiceEndpoint.fromPartial({ name, networkServiceNames: [service] });
    const { unregister } = NetworkServiceEndpointRegistryService;
    await manager.unary(unregister, entry, { signal, metadata: beginningOfPath() });
  }
}

function beginningOfPath(): Metadata {
  const metadata = new Metadata();
  metadata.set(metadataKey.path, '{"Index":0,"PathSegments":null}');
  return metadata;
}
