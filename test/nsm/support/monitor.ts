// SPDX-License-Identifier: Apache-2.0
// A stream of a forwarder's connection events, which any program with an SVID may open.

import {
  ConnectionEvent,
  MonitorConnectionService,
  MonitorScopeSelector,
} from '../../../src/nsm/generated/connection.ts';
import type { Mesh } from './mesh.ts';
import { plainClient } from './plain-client.ts';

export class Monitor {
  readonly events: ConnectionEvent[] = [];
  readonly #waiting = new Set<() => void>();

  static async open(mesh: Mesh, url: string): Promise<Monitor> {
    const monitor = new Monitor();
    const { monitorConnections } = MonitorConnectionService;
    const client = plainClient(mesh, await mesh.authority.issue('observer'), url);
    const stream = client.makeServerStreamRequest(
      monitorConnections.path,
      monitorConnections.requestSerialize,
      monitorConnections.responseDeserialize,
      MonitorScopeSelector.create(),
    );
    mesh.onRemove(async () => stream.cancel());
    stream.on('error', () => undefined); // the forwarder may end at any time
    stream.on('data', (event: ConnectionEvent) => {
      monitor.events.push(event);
      for (const wake of monitor.#waiting) wake();
    });
    await monitor.until((events) => events.length > 0); // the initial transfer, empty or not
    return monitor;
  }

  async until(condition: (events: readonly ConnectionEvent[]) => boolean, milliseconds = 60_000): Promise<void> {
    if (condition(this.events)) return;
    await new Promise<void>((resolve, reject) => {
      const end = setTimeout(() => {
        this.#waiting.delete(check);
        reject(new Error(`not in ${milliseconds} ms; events: ${JSON.stringify(this.events).slice(0, 2000)}`));
      }, milliseconds);
      const check = () => {
        if (!condition(this.events)) return;
        clearTimeout(end);
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
    });
  }
}
