// SPDX-License-Identifier: Apache-2.0
// Requests for engine wires between memif sockets, which need no namespaces and no privileges.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineWireRequest, MemifLinkRequest } from '../../src/dataplane/types.ts';

export class MemifRequests {
  readonly directory = mkdtempSync(join(tmpdir(), 'crosswire-memif-'));
  #sockets = 0;

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  newSocket(): string {
    return join(this.directory, `${this.#sockets++}.sock`);
  }

  link(socket: string, role: 'server' | 'client'): MemifLinkRequest {
    const sizes = { rings: 1, ringSize: 256, bufferSize: 2048, mtu: 1500 };
    const rest = { netns: '', secret: '', allowUnsealed: false, payload: 'ethernet' as const };
    return { kind: 'memif', name: `${role} of ${socket}`, socket, role, id: 0, ...sizes, ...rest };
  }

  wire(role: 'server' | 'client', client = this.newSocket(), endpoint = this.newSocket()): EngineWireRequest {
    return {
      name: role,
      payload: 'ethernet',
      client: this.link(client, role),
      endpoint: this.link(endpoint, role),
    };
  }

  /** Two wires that are each other's peers, so that all four ends come up. */
  pair(): [EngineWireRequest, EngineWireRequest] {
    const [a, b] = [this.newSocket(), this.newSocket()];
    return [this.wire('server', a, b), this.wire('client', a, b)];
  }
}
