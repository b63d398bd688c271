// SPDX-License-Identifier: Apache-2.0
// Removes everything that carries the marks of a node. Needs no daemon and no journal. A journal, if there is one, also names
// interfaces that have no mark yet; leases hold the original state of borrowed devices.

import { existsSync } from 'node:fs';
import type { Dataplane } from '../dataplane/types.ts';
import { checkNode, temporaryName } from '../machine/marks.ts';
import { type FoundInterface, removeFound } from '../machine/observation.ts';
import { findOrphans } from '../machine/orphans.ts';
import type { Devices, LeaseView } from '../machine/sriov/devices.ts';
import type { CleanupReport, CleanupThing } from '../model/cleanup.ts';
import { asCrosswireError } from './act/errors.ts';
import { partsFor } from './parts.ts';
import { unmarkedNamesOf } from './start-up.ts';
import { JournalDirectory, peek } from './store/journal.ts';
import type { JournalRecord } from './store/record.ts';

export interface CleanupParts {
  readonly dataplane: Dataplane;
  readonly devices: Devices;
  readonly node: string;
  readonly stateDirectory: string;
  /** Report, and remove nothing. */
  readonly dryRun: boolean;
}

/** Carries on past failures. Erases the journal if there were none. Rejects if a daemon uses the state directory. */
export async function cleanUp(parts: CleanupParts): Promise<CleanupReport> {
  checkNode(parts.node);
  if (parts.dryRun) return reportOf(parts, await find(parts));
  const hasState = existsSync(parts.stateDirectory);
  const { lock } = partsFor(parts.stateDirectory);
  if (hasState) lock.acquire();
  try {
    const found = await find(parts);
    const errors = [...found.errors, ...(await remove(parts, found))];
    if (errors.length === 0 && hasState) await new JournalDirectory(parts.stateDirectory).eraseAll();
    return reportOf(parts, { ...found, errors });
  } finally {
    lock.release();
  }
}

interface Found {
  readonly interfaces: readonly FoundInterface[];
  readonly leases: readonly LeaseView[];
  readonly records: readonly JournalRecord[];
  readonly errors: readonly unknown[];
}

async function find({ dataplane, devices, node, stateDirectory }: CleanupParts): Promise<Found> {
  const records = peek(stateDirectory);
  const leases = existsSync(stateDirectory) ? await devices.listLeases() : [];
  const { found, errors } = await findOrphans(dataplane, {
    node,
    temporaryNames: records.flatMap((record) => unmarkedNamesOf(record, node)),
    isClaimed: () => false,
    isUplinkClaimed: () => false,
  });
  const isLent = ({ info }: FoundInterface) => leases.some(({ pci }) => pci === info.device);
  return { interfaces: found.filter((one) => !isLent(one)), leases, records, errors };
}

async function remove({ dataplane, devices }: CleanupParts, { interfaces, leases }: Found): Promise<unknown[]> {
  const returns = await Promise.allSettled(leases.map((lease) => devices.giveBack(lease.pci, lease)));
  return [
    ...errorsOf(returns),
    ...(await removeFound(dataplane, interfaces, devices)),
    ...(await sweepRules(dataplane)),
  ];
}

/** Rules of policy routing outlive an interface that somebody else removed. Deleting any missing interface makes the data plane
 *  remove them. */
async function sweepRules(dataplane: Dataplane): Promise<unknown[]> {
  const namespaces = await dataplane.listNamespaces();
  const sweeps = namespaces.map(({ path }) => dataplane.deleteInterface(path, temporaryName(), ''));
  return errorsOf(await Promise.allSettled(sweeps));
}

function errorsOf(outcomes: readonly PromiseSettledResult<unknown>[]): unknown[] {
  return outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
}

function reportOf({ node, stateDirectory, dryRun }: CleanupParts, found: Found): CleanupReport {
  const things: CleanupThing[] = [
    ...found.interfaces.map(({ namespace, info: { name, alias } }) => {
      const place = namespace.path || 'the namespace of the forwarder';
      return { kind: 'interface' as const, name, place, mark: alias };
    }),
    ...found.leases.map(({ pci, mark, mode }) => ({ kind: 'device' as const, name: pci, place: mode, mark })),
    ...found.records.map(({ wire }) => ({ kind: 'record' as const, name: wire.name, place: stateDirectory, mark: '' })),
  ];
  const errors = found.errors.map((error) => asCrosswireError(error, 'clean up', node).toJSON());
  return { node, dryRun, things, errors };
}
