// SPDX-License-Identifier: Apache-2.0
// Recovers from earlier runs, however they ended. The journal names the wires, marks identify our interfaces.

import type { Dataplane } from '../dataplane/types.ts';
import { parseMark } from '../machine/marks.ts';
import { isSame } from '../machine/namespaces.ts';
import { sweepOrphans } from '../machine/orphans.ts';
import type { Devices, LeaseView } from '../machine/sriov/devices.ts';
import { endNames } from '../model/wire.ts';
import { asCrosswireError } from './act/errors.ts';
import type { HealthBook } from './tell/health.ts';
import type { Journal } from './store/journal.ts';
import { interfacePlaces, type JournalRecord, resolvedWiresOf, uplinksOf } from './store/record.ts';
import type { Log } from '../model/log.ts';

export interface StartUp {
  readonly dataplane: Dataplane;
  readonly journal: Journal;
  readonly devices: Devices | undefined;
  readonly node: string;
  readonly health: HealthBook;
  readonly log: Log;
}

/** Removes what belongs to no wire. The keeper repairs the wires. */
export async function recover({
  dataplane,
  journal,
  devices,
  node,
  health,
  log,
}: StartUp): Promise<readonly JournalRecord[]> {
  const { records, corrupt } = await journal.load();
  for (const { file, reason } of corrupt) {
    const text = `a journal file was unreadable (${reason}); it is now ${file}, and its wire is gone`;
    health.add({ code: 'JOURNAL_CORRUPT', severity: 'error', text });
    log.error({ file, reason }, 'corrupt journal file set aside');
  }
  const byName = new Map(records.map((record) => [record.wire.name, record]));
  const left = devices
    ? await returnUnclaimed(devices, ({ mark }) => byName.has(parseMark(node, mark)?.wire ?? ''))
    : [];
  const { removed, errors } = await sweepOrphans(dataplane, {
    node,
    devices,
    temporaryNames: records.flatMap((record) => unmarkedNamesOf(record, node)),
    isClaimed: ({ wire }, namespace) => placesOf(byName.get(wire)).some((place) => isSame(place, namespace)),
    isUplinkClaimed: ({ wire }, name) => uplinkNamesOf(byName.get(wire), node).includes(name),
  });
  for (const { namespace, info } of removed)
    log.info({ netns: namespace.path, interface: info.name, alias: info.alias }, 'orphan removed');
  for (const cause of [...left, ...errors]) {
    const error = asCrosswireError(cause, 'remove an orphan', '');
    health.add({ code: 'ORPHAN_LEFT', severity: 'warning', text: error.message });
    log.warn({ error }, 'orphan not removed');
  }
  return records;
}

/** Gives back the devices of wires that no longer exist. */
export async function returnUnclaimed(devices: Devices, isClaimed: (lease: LeaseView) => boolean): Promise<unknown[]> {
  const unclaimed = (await devices.listLeases()).filter((one) => !isClaimed(one));
  const returns = await Promise.allSettled(unclaimed.map((one) => devices.giveBack(one.pci, one)));
  return returns.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
}

/** Names of interfaces that may have been made but not marked. */
export function unmarkedNamesOf(record: JournalRecord, node: string): string[] {
  const { names } = record;
  const temporary = names ? endNames.flatMap((end) => Object.values(names[end])) : [];
  return [...temporary, ...uplinkNamesOf(record, node)];
}

function uplinkNamesOf(record: JournalRecord | undefined, node: string): string[] {
  return resolvedWiresOf(record).flatMap((resolved) => uplinksOf(resolved, node).map(({ name }) => name));
}

function placesOf(record: JournalRecord | undefined) {
  return resolvedWiresOf(record).flatMap(interfacePlaces);
}
