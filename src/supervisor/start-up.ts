// SPDX-License-Identifier: Apache-2.0
// What a start finds of earlier runs, however they ended: journals tell which wires there are, marks tell what is ours.

import type { Dataplane } from '../dataplane/types.ts';
import { isSame } from '../host/namespaces.ts';
import { sweepOrphans } from '../host/orphans.ts';
import { endNames } from '../model/wire.ts';
import { asCrosswireError } from './errors.ts';
import type { HealthBook } from './health.ts';
import type { Journal } from './journal.ts';
import { interfacePlaces, type JournalRecord } from './record.ts';
import type { Log } from './settings.ts';

export interface StartUp {
  readonly dataplane: Dataplane;
  readonly journal: Journal;
  readonly node: string;
  readonly health: HealthBook;
  readonly log: Log;
}

/** Removes what no wire claims; the wires themselves are for the keeper. */
export async function recover({ dataplane, journal, node, health, log }: StartUp): Promise<readonly JournalRecord[]> {
  const { records, corrupt } = await journal.load();
  for (const { file, reason } of corrupt) {
    const text = `a journal file was unreadable (${reason}); it is now ${file}, and its wire is gone`;
    health.add({ code: 'JOURNAL_CORRUPT', severity: 'error', text });
    log.error({ file, reason }, 'corrupt journal file set aside');
  }
  const byName = new Map(records.map((record) => [record.wire.name, record]));
  const { removed, errors } = await sweepOrphans(dataplane, {
    node,
    temporaryNames: records.flatMap(temporaryNamesOf),
    isClaimed: ({ wire }, namespace) => placesOf(byName.get(wire)).some((place) => isSame(place, namespace)),
  });
  for (const { namespace, info } of removed)
    log.info({ netns: namespace.path, interface: info.name, alias: info.alias }, 'orphan removed');
  for (const cause of errors) {
    const error = asCrosswireError(cause, 'remove an orphan', '');
    health.add({ code: 'ORPHAN_LEFT', severity: 'warning', text: error.message });
    log.warn({ error }, 'orphan not removed');
  }
  return records;
}

function temporaryNamesOf({ names }: JournalRecord): string[] {
  return names ? endNames.flatMap((end) => Object.values(names[end])) : [];
}

function placesOf(record: JournalRecord | undefined) {
  const standings = record ? [record, ...(record.previous ?? [])] : [];
  return standings.flatMap(interfacePlaces);
}
