// SPDX-License-Identifier: Apache-2.0
// Offers the resources of this node's NICs to kubelet, for as long as kubelet lives and comes back: it empties the
// directory of its plugins at every start, and forgets them.

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

/** The part of pino's logger that is used here. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface DevicePluginOptions {
  readonly pool: TokenPool;
  /** Where kubelet and its plugins have their sockets: /var/lib/kubelet/device-plugins. */
  readonly directory: string;
  /** Of kubelet's PodResources API: /var/lib/kubelet/pod-resources/kubelet.sock. */
  readonly podResourcesSocket: string;
  readonly pollMilliseconds: number;
  readonly log: Log;
}

const version = 'v1beta1';
/** Until kubelet is asked again, where it did not take the registration. */
const retryMilliseconds = 1_000;
/** For kubelet to ask for the list, after it took the registration. */
const watchMilliseconds = 10_000;

const hostDirectoryHint = 'mount the host directory there, or leave the resources to wire files';

export class DevicePlugin {
  readonly #options: DevicePluginOptions;
  readonly #kubelet: string;
  #servers: PluginServer[] = [];
  /** Which kubelet socket knows us. */
  #registeredAt = '';
  #complaint = '';
  #watcher: FSWatcher | undefined;
  #poll: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  /** What is under way; the next begins after it. */
  #turn: Promise<void> = Promise.resolve();
  #waiting = false;
  #closed = false;
  /** Allocated, but missing in kubelet's answers, and since when (milliseconds). */
  readonly #missing = new Map<string, number>();

  constructor(options: DevicePluginOptions) {
    this.#options = options;
    this.#kubelet = join(options.directory, 'kubelet.sock');
  }

  /** Carries on in the background; kubelet need not be there yet. */
  async start(): Promise<void> {
    const { directory, pollMilliseconds } = this.#options;
    try {
      this.#watcher = watch(directory, () => this.#soon());
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch {
      // It is not there yet, or there are no watches left: polling finds the change.
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
      if (kubelet === undefined) throw this.#failed('its socket is not there', hostDirectoryHint);
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

  /** Undefined: kubelet does not say. An allocation is then believed until kubelet does. */
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
      if (!(await server.isWatched(watchMilliseconds))) throw this.#failed('it did not come for the list of devices');
      log.info({ resource, devices: pool.tokens(resource).length }, 'resource offered to kubelet');
    }
    this.#registeredAt = kubelet;
  }

  /** A pod may be on its way into kubelet's answer, and a kubelet that was started anew knows none at first. */
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

/** Short: an address of a unix socket has 107 bytes (unix(7)). */
function socketName(resource: string): string {
  return `crosswire-${createHash('sha256').update(resource).digest('hex').slice(0, 16)}.sock`;
}

/** Another one after every start of kubelet. */
async function identityOf(socket: string): Promise<string | undefined> {
  try {
    const { dev, ino, ctimeNs } = await stat(socket, { bigint: true });
    return `${dev}:${ino}:${ctimeNs}`;
  } catch {
    return undefined;
  }
}
