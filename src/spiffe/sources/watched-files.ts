// SPDX-License-Identifier: Apache-2.0
// Notices when any of the given files may have changed.

import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';

export class WatchedFiles {
  readonly #watchers: FSWatcher[] = [];
  readonly #poll: NodeJS.Timeout;

  /** Calls `onChange` also every `pollMilliseconds`: inotify(7) is silent on some file systems, and when a parent directory is
   *  replaced. */
  constructor(paths: readonly string[], pollMilliseconds: number, onChange: () => void) {
    // Directories are watched, not files: a rename replaces the file, and Kubernetes replaces a symbolic link.
    for (const directory of new Set(paths.map((path) => dirname(path)))) this.#watch(directory, onChange);
    this.#poll = setInterval(onChange, pollMilliseconds);
  }

  close(): void {
    clearInterval(this.#poll);
    for (const watcher of this.#watchers) watcher.close();
  }

  #watch(directory: string, onChange: () => void): void {
    try {
      const watcher = watch(directory, onChange);
      watcher.on('error', () => watcher.close());
      this.#watchers.push(watcher);
    } catch {
      // The directory does not exist yet, or there are no watches left: polling finds the change.
    }
  }
}
