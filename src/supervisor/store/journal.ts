// SPDX-License-Identifier: Apache-2.0
// The journal: one file for each wire. Several files cannot be replaced atomically, so a change of several wires has one more file
// while it runs, which holds the records of all its wires.

import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DurableDirectory } from './durable-directory.ts';
import { type JournalRecord, parseRecord, resolvedWiresOf } from './record.ts';
import { TimeSlices } from './time-slices.ts';
import { sameValue } from './values.ts';

export interface CorruptFile {
  /** Where it was set aside. */
  readonly file: string;
  readonly reason: string;
}

export interface JournalContents {
  readonly records: readonly JournalRecord[];
  readonly corrupt: readonly CorruptFile[];
}

export interface Journal {
  /** Moves the records of interrupted changes to their wires first. */
  load(): Promise<JournalContents>;
  /** On failure rejects with JOURNAL_WRITE_FAILED, and the last record stays. */
  write(record: JournalRecord): Promise<void>;
  erase(wire: string): Promise<void>;
  /** Called before a change of these wires in one step. After a crash before `end`, either all of them are changing or none is. */
  begin(records: readonly JournalRecord[]): Promise<string>;
  end(change: string): Promise<void>;
}

export class JournalDirectory implements Journal {
  readonly #wires: DurableDirectory;
  readonly #changes: DurableDirectory;

  constructor(stateDirectory: string) {
    this.#wires = new DurableDirectory(join(stateDirectory, 'wires'));
    this.#changes = new DurableDirectory(join(stateDirectory, 'changes'));
  }

  async load(): Promise<JournalContents> {
    const corrupt: CorruptFile[] = [];
    const own = await readAll(this.#wires, corrupt, parseRecord);
    const records = new Map(own.map((record) => [record.wire.name, record]));
    const changes = await readAll(this.#changes, corrupt, (text, id) => ({ id, change: parseChange(text) }));
    for (const { id, change } of changes) {
      for (const record of resumed(change, records)) {
        await this.write(record);
        records.set(record.wire.name, record);
      }
      await this.end(id);
    }
    return { records: [...records.values()], corrupt };
  }

  write(record: JournalRecord): Promise<void> {
    return this.#wires.write(record.wire.name, record);
  }

  erase(wire: string): Promise<void> {
    return this.#wires.erase(wire);
  }

  async begin(records: readonly JournalRecord[]): Promise<string> {
    const change = randomUUID();
    await this.#changes.write(change, { records });
    return change;
  }

  end(change: string): Promise<void> {
    return this.#changes.erase(change);
  }

  /** Forgets all wires. */
  async eraseAll(): Promise<void> {
    for (const directory of [this.#wires, this.#changes])
      for (const name of await directory.names()) await directory.erase(name);
  }
}

/** For `crosswire cleanup`: reads all records without changing a file, and leaves out unreadable ones. */
export function peek(stateDirectory: string): JournalRecord[] {
  const filesOf = (folder: string) => {
    try {
      const directory = join(stateDirectory, folder);
      return readdirSync(directory).flatMap((name) => (name.endsWith('.json') ? [join(directory, name)] : []));
    } catch {
      return [];
    }
  };
  const records = (file: string, parse: (text: string) => JournalRecord[]) => {
    try {
      return parse(readFileSync(file, 'utf8'));
    } catch {
      return [];
    }
  };
  return [
    ...filesOf('wires').flatMap((file) => records(file, (text) => [parseRecord(text, basename(file, '.json'))])),
    ...filesOf('changes').flatMap((file) => records(file, parseChange)),
  ];
}

async function readAll<T>(
  directory: DurableDirectory,
  corrupt: CorruptFile[],
  parse: (text: string, name: string) => T,
): Promise<T[]> {
  const slices = new TimeSlices();
  const values: T[] = [];
  for (const name of await directory.names()) {
    await slices.next();
    try {
      values.push(parse(directory.read(name), name));
    } catch (error) {
      corrupt.push({ file: await directory.setAside(name), reason: (error as Error).message });
    }
  }
  return values;
}

/** Throws with a reason if the text is no change. */
export function parseChange(text: string): JournalRecord[] {
  const { records } = JSON.parse(text) as { records?: JournalRecord[] };
  if (!Array.isArray(records)) throw new Error('it has no records');
  return records.map((record) => parseRecord(JSON.stringify(record), record.wire?.name));
}

/** The records of a change that was cut off. None if one of its wires is neither as it was before nor as it was to be: then
 *  the change is long over, and only its file was left. */
export function resumed(
  change: readonly JournalRecord[],
  records: ReadonlyMap<string, JournalRecord>,
): readonly JournalRecord[] {
  return change.every((one) => isUnderWay(one, records.get(one.wire.name))) ? change : [];
}

function isUnderWay(change: JournalRecord, own: JournalRecord | undefined): boolean {
  if (!own) return (change.previous ?? []).length === 0;
  const [now] = resolvedWiresOf(own);
  return own.phase !== 'removing' && resolvedWiresOf(change).some((one) => sameValue(one, now));
}
