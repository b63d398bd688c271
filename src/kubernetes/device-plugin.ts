// SPDX-License-Identifier: Apache-2.0
// Offers the resources of this node's NICs to kubelet, and registers again after each restart of kubelet, which then
// deletes all sockets of its plugins and forgets them.

import { createHash } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CrosswireError } from '../model/error.ts';
import { RegistrationService } from './generated/deviceplugin.ts';
import { callKubelet } from './calls.ts';
import { PluginServer } from './plugin-server.ts';
import { type GivenDevices, listGivenDevices } from './pod-resources.ts';
import type { TokenPool } from './tokens.ts';

/** The part of pino's logger that the device plugin uses. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface DevicePluginOptions {
  readonly pool: TokenPool;
  /** The directory of the sockets of kubelet and its plugins: /var/lib/kubelet/device-plugins. */
  readonly directory: string;
  /** The socket of kubelet's PodResources API: /var/lib/kubelet/pod-resources/kubelet.sock. */
  readonly podResourcesSocket: string;
  readonly pollMilliseconds: number;
  readonly log: Log;
}

const version = 'v1beta1';
/** How long to wait after a failed registration. */
const retryMilliseconds = 1_000;
/** How long kubelet may take to call ListAndWatch after a registration. */
const watchMilliseconds = 10_000;

const hostDirectoryHint = "mount the host's directory there, or use the devices in wire files only";

export class DevicePlugin {
  readonly #options: DevicePluginOptions;
  readonly #kubelet: string;
  #servers: PluginServer[] = [];
  /** The identity of the kubelet socket at which we are registered; '' if we are not. */
  #registeredAt = '';
  #complaint = '';
  #watcher: FSWatcher | undefined;
  #poll: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  /** The current run of #attend(); the next one begins after it. */
  #turn: Promise<void> = Promise.resolve();
  #waiting = false;
  #closed = false;
  /** Allocated tokens that are missing in kubelet's answers: id → since when (milliseconds). */
  readonly #missing = new Map<string, number>();

  constructor(options: DevicePluginOptions) {
    this.#options = options;
    this.#kubelet = join(options.directory, 'kubelet.sock');
  }

  /** Tries once, then goes on in the background; kubelet need not run yet. */
  async start(): Promise<void> {
    const { directory, pollMilliseconds } = this.#options;
    try {
      this.#watcher = watch(directory, () => this.#soon());
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch {
      // The directory does not exist yet, or no inotify watches are left: polling finds the change.
    }
    this.#poll = setInterval(() => this.#soon(), pollMilliseconds);
    this.#soon();
    await this.#turn;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#poll);
    this.#watcher?.close();
    await this.#turn;
    clearTimeout(this.#retry);
    await this.#closeServers();
  }

  #soon(): void {
    if (this.#waiting || this.#closed) return;
    this.#waiting = true;
    this.#turn = this.#turn.then(async () => {
      this.#waiting = false;
      if (!this.#closed) await this.#attend();
    });
  }

  async #attend(): Promise<void> {
    const { log } = this.#options;
    try {
      const given = await this.#given();
      const kubelet = await identityOf(this.#kubelet);
      if (kubelet === undefined) throw this.#failed('its socket does not exist', hostDirectoryHint);
      if (kubelet !== this.#registeredAt) await this.#register(given, kubelet);
      else this.#freeMissing(given);
      this.#complaint = '';
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#complaint) log.warn({ error }, 'no devices offered to kubelet for now');
      this.#complaint = message;
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => this.#soon(), retryMilliseconds);
    }
  }

  /** What kubelet has given to pods. Undefined if kubelet does not answer: then no allocation is freed. */
  async #given(): Promise<GivenDevices | undefined> {
    return listGivenDevices(this.#options.podResourcesSocket).catch(() => undefined);
  }

  async #register(given: GivenDevices | undefined, kubelet: string): Promise<void> {
    const { pool, directory, log } = this.#options;
    for (const resource of pool.resources) pool.restore(resource, given?.get(resource) ?? []);
    await this.#closeServers();
    this.#missing.clear();
    for (const resource of pool.resources) {
      const endpoint = socketName(resource);
      const server = new PluginServer(pool, resource, join(directory, endpoint));
      this.#servers.push(server);
      await server.listen();
      const options = { preStartRequired: false, getPreferredAllocationAvailable: false };
      const request = { version, endpoint, resourceName: resource, options };
      await callKubelet(this.#kubelet, RegistrationService.register, request);
      if (!(await server.isWatched(watchMilliseconds)))
        throw this.#failed('it accepted the registration but did not ask for the list of devices');
      log.info({ resource, devices: pool.tokens(resource).length }, 'resource offered to kubelet');
    }
    this.#registeredAt = kubelet;
  }

  /** Frees tokens that kubelet no longer lists, but only after two polls: a new pod may not be listed yet, and a kubelet that
   *  was just started lists none at first. */
  #freeMissing(given: GivenDevices | undefined): void {
    const { pool, pollMilliseconds } = this.#options;
    if (!given) return;
    const now = Date.now();
    for (const resource of pool.resources) {
      for (const id of pool.allocated(resource)) {
        const since = this.#missing.get(id);
        if (given.get(resource)?.has(id)) this.#missing.delete(id);
        else if (since === undefined) this.#missing.set(id, now);
        else if (now - since >= 2 * pollMilliseconds && this.#missing.delete(id)) pool.free(id);
      }
    }
  }

  async #closeServers(): Promise<void> {
    this.#registeredAt = '';
    for (const server of this.#servers.splice(0)) await server.close();
  }

  #failed(reason: string, hint?: string): CrosswireError {
    const operation = 'offer devices to kubelet';
    return new CrosswireError({ code: 'KUBELET_UNREACHABLE', operation, subject: this.#kubelet, reason, hint });
  }
}

/** A hash, so that the path fits into the 107 bytes of a unix socket address (unix(7)). */
function socketName(resource: string): string {
  return `crosswire-${createHash('sha256').update(resource).digest('hex').slice(0, 16)}.sock`;
}

/** The identity changes with every start of kubelet, which makes its socket anew. */
async function identityOf(socket: string): Promise<string | undefined> {
  try {
    const { dev, ino, ctimeNs } = await stat(socket, { bigint: true });
    return `${dev}:${ino}:${ctimeNs}`;
  } catch {
    return undefined;
  }
}
