// SPDX-License-Identifier: Apache-2.0
// The control API.

import type { Logger } from 'pino';
import type { NativeDataplane } from '../dataplane/dataplane.ts';
import { ControlServer } from '../http/control-server.ts';
import type { Inventory } from '../machine/sriov/inventory.ts';
import type { RunOptions } from '../options/run-options.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';
import { parseWireList } from '../wire/wire-list.ts';
import { wireJsonSchema } from '../wire/wire-schema.ts';

export interface ControlParts {
  readonly options: RunOptions;
  readonly version: string;
  readonly startedAt: string;
  readonly dataplane: NativeDataplane;
  readonly supervisor: Supervisor;
  readonly inventory: Inventory;
  readonly log: Logger;
}

export function controlServer({ options, version, startedAt, dataplane, supervisor, inventory, log }: ControlParts) {
  return new ControlServer({
    path: options.control,
    wires: supervisor,
    version,
    status: () => ({
      version,
      node: options.node,
      pid: process.pid,
      startedAt,
      wires: supervisor.list().length,
      workers: dataplane
        .workerStatistics()
        .map(({ worker, wires: held, hotWires }) => ({ worker, wires: held, hotWires })),
    }),
    devices: () => inventory.read(),
    parseWires: parseWireList,
    wireDocument: wireJsonSchema,
    onInternalError: (error) => log.error({ error }, 'unexpected failure while answering'),
  });
}
