// SPDX-License-Identifier: Apache-2.0
// Notices leased devices that have left the place that they were taken to: their namespace ended and the kernel moved the
// interface back, the namespace can no longer be reached, or another driver was bound. Neither sysfs nor the end of a
// namespace gives a notification, so the watcher polls about twice a second.

import { isSame } from '../namespaces.ts';
import type { Borrowing } from './borrowing.ts';
import { vfioDriver } from './driver.ts';
import type { Lease } from './lease.ts';

const milliseconds = 400;
/** Whether the interface was moved to a third namespace costs a netlink query, so it is checked on every eighth turn only. */
const turnsPerQuestion = 8;

export interface Watching {
  readonly borrowing: Borrowing;
  readonly leases: () => readonly Lease[];
  readonly onAstray: (mark: string) => void;
}

export class LeaseWatcher {
  readonly #watching: Watching;
  /** Generations of the leases that were reported already. */
  #told = new Set<number>();
  #timer: NodeJS.Timeout | undefined;
  #turns = 0;

  constructor(watching: Watching) {
    this.#watching = watching;
  }

  start(): void {
    this.#timer = setTimeout(() => void this.#turn(), milliseconds).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #turn(): Promise<void> {
    const told = new Set<number>();
    const asks = ++this.#turns % turnsPerQuestion === 0;
    for (const lease of this.#watching.leases()) {
      if (lease.state !== 'held' || !(await this.#isAstray(lease, asks).catch(() => false))) continue;
      if (!this.#timer) return;
      told.add(lease.generation);
      if (!this.#told.has(lease.generation)) this.#watching.onAstray(lease.mark);
    }
    this.#told = told;
    if (this.#timer) this.start();
  }

  async #isAstray({ pci, mode, namespace, mark }: Lease, asks: boolean): Promise<boolean> {
    const { sysfs } = this.#watching.borrowing;
    const driver = await sysfs.driverOf(pci);
    if (mode === 'vfio') return driver !== vfioDriver;
    if (driver === undefined || driver === vfioDriver || !namespace) return true;
    const { dataplane } = this.#watching.borrowing;
    const now = await dataplane.identifyNamespace(namespace.path).catch(() => undefined);
    if (!now || !isSame(now, namespace)) return true;
    if (asks) {
      const query = { netns: namespace.path, aliasPrefix: mark, details: false };
      if ((await dataplane.listInterfaces(query)).length === 0) return true;
    }
    if ((await sysfs.netdevOf(pci)) === undefined) return false;
    return !isSame(await dataplane.identifyNamespace('/proc/self/ns/net'), namespace);
  }
}
