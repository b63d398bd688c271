// SPDX-License-Identifier: Apache-2.0
// Tells when any of some files may have changed.

import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';

export class WatchedFiles {
  readonly #watchers: FSWatcher[] = [];
  readonly #poll: NodeJS.Timeout;

  /** Also every `pollMilliseconds`: inotify(7) is silent on some file systems, and when a directory above is replaced. */
  constructor(paths: readonly string[], pollMilliseconds: number, onChange: () => void) {
    // The directories: a rename puts another file in place of the one watched, and Kubernetes swaps a symbolic link.
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
      // It is not there yet, or there are no watches left: polling finds the change.
    }
  }
}
