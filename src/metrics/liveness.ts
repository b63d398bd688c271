// SPDX-License-Identifier: Apache-2.0
// Whether the loops turn: the event loop's, which shows by answering at all, and those of the workers. Nothing here
// depends on a peer: a fault of the surroundings must not get a healthy forwarder restarted.

import type { WorkerStatistics } from '../dataplane/types.ts';

const period = 5_000; // milliseconds

export interface LivenessReport {
  readonly alive: boolean;
  readonly stuckWorkers: readonly number[];
  /** How much later than due the last timer came. */
  readonly eventLoopLagMilliseconds: number;
}

export class Liveness {
  readonly #workers: () => readonly WorkerStatistics[];
  #last = new Map<number, WorkerStatistics>();
  #stuck: readonly number[] = [];
  #lag = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(workers: () => readonly WorkerStatistics[]) {
    this.#workers = workers;
  }

  start(): void {
    let due = performance.now() + period;
    this.#timer = setInterval(() => {
      const now = performance.now();
      this.#lag = Math.max(0, now - due);
      due = now + period;
      this.sample();
    }, period).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  report(): LivenessReport {
    return {
      alive: this.#stuck.length === 0,
      stuckWorkers: this.#stuck,
      eventLoopLagMilliseconds: Math.round(this.#lag),
    };
  }

  sample(): void {
    const now = this.#workers();
    this.#stuck = now
      .filter((worker) => standsStill(this.#last.get(worker.worker), worker))
      .map(({ worker }) => worker);
    this.#last = new Map(now.map((worker) => [worker.worker, worker]));
  }
}

/** A hot wire is polled until it is busy or goes cold, within milliseconds: either shows in these numbers. A worker
 *  whose wires are all cold sleeps, and may do so for days. */
function standsStill(before: WorkerStatistics | undefined, now: WorkerStatistics): boolean {
  if (before === undefined || before.hotWires === 0 || now.hotWires === 0) return false;
  return (
    before.busyNanoseconds === now.busyNanoseconds &&
    before.idleNanoseconds === now.idleNanoseconds &&
    before.wakeUps === now.wakeUps
  );
}
