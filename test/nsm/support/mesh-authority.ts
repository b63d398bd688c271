// SPDX-License-Identifier: Apache-2.0
// The identities of a mesh, `spiffe://test.nsm/<name>`: from SPIRE (spire.ts) or from a Workload API of the tests.

import { join } from 'node:path';
import type { Identity } from '../../../src/spiffe/identity.ts';
import { TestAuthority } from './authority.ts';
import type { Environment } from './programs.ts';
import { WorkloadApi } from './workload-api.ts';

/** What makes a process the program of that name. */
export interface ProgramIdentity {
  readonly environment: Environment;
  /** A command that runs the program's own command. */
  readonly wrap: readonly string[];
}

export interface MeshAuthority {
  /** PEM of the authorities of the trust domain. */
  readonly bundle: string;
  /** An identity for a client inside a test. */
  issue(name: string): Promise<Identity>;
  program(name: string): Promise<ProgramIdentity>;
  close(): Promise<void>;
}

/** A Workload API for each program, on a socket of its own. */
export class StubAuthority implements MeshAuthority {
  readonly #directory: string;
  readonly #authority: TestAuthority;
  readonly #programs = new Map<string, WorkloadApi>();

  private constructor(directory: string, authority: TestAuthority) {
    this.#directory = directory;
    this.#authority = authority;
  }

  static async start(directory: string): Promise<StubAuthority> {
    return new StubAuthority(directory, await TestAuthority.create());
  }

  get bundle(): string {
    return this.#authority.bundle;
  }

  issue(name: string): Promise<Identity> {
    return this.#authority.issue(name);
  }

  async program(name: string): Promise<ProgramIdentity> {
    let api = this.#programs.get(name);
    if (!api) {
      api = await WorkloadApi.start(join(this.#directory, `${name}.agent`), await this.issue(name));
      this.#programs.set(name, api);
    }
    return { environment: { SPIFFE_ENDPOINT_SOCKET: api.endpoint }, wrap: [] };
  }

  async close(): Promise<void> {
    for (const api of this.#programs.values()) await api.close();
  }
}
