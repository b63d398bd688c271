// SPDX-License-Identifier: Apache-2.0
// The data plane's threads: the first part to start, the last to stop.

import type { NativeDataplane } from '../dataplane/dataplane.ts';
import { requireOnline } from '../machine/online-cpus.ts';
import { requireCapabilities } from '../machine/privileges.ts';
import type { RunOptions } from '../options/run-options.ts';
import type { Part } from './part.ts';

export class Engine implements Part {
  readonly #dataplane: NativeDataplane;
  readonly #options: RunOptions;

  constructor(dataplane: NativeDataplane, options: RunOptions) {
    this.#dataplane = dataplane;
    this.#options = options;
  }

  async start(): Promise<void> {
    const { workers, workerCpus, busyPoll } = this.#options;
    requireCapabilities((await this.#dataplane.probe()).capabilities);
    await requireOnline(workerCpus);
    await this.#dataplane.start({ workers, cpus: workerCpus, busyPoll });
  }

  async stop(): Promise<void> {
    await this.#dataplane.close();
  }
}
