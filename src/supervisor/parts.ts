// SPDX-License-Identifier: Apache-2.0
// The parts of a supervisor that use the file system. Tests replace them.

import { mkdirSync } from 'node:fs';
import { StateDirectoryLock } from '../machine/lock.ts';
import type { Descriptors } from './act/descriptor-budget.ts';
import { type Journal, JournalDirectory } from './store/journal.ts';

export interface SupervisorParts {
  readonly journal: Journal;
  readonly lock: { acquire(): void; release(): void };
  readonly descriptors?: Descriptors;
}

export function partsFor(stateDirectory: string): SupervisorParts {
  const lock = new StateDirectoryLock(stateDirectory);
  return {
    journal: new JournalDirectory(stateDirectory),
    lock: {
      acquire: () => {
        mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
        lock.acquire();
      },
      release: () => lock.release(),
    },
  };
}
