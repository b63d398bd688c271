// SPDX-License-Identifier: Apache-2.0
// Detects stuck worker threads and event-loop lag for /healthz. A blocked event loop shows by itself: /healthz does not
// answer. The result depends on no peer, so that a fault elsewhere does not restart a healthy forwarder.

import type { WorkerStatistics } from '../dataplane/types.ts';

const period = 5_000; // milliseconds

export interface LivenessReport {
  readonly alive: boolean;
  readonly stuckWorkers: readonly number[];
  /** The delay of the last timer. */
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

/** A worker with hot wires polls them until frames arrive or the wires go cold, within milliseconds; either changes these
 *  counters. A worker whose wires are all cold sleeps, possibly for days, and is not stuck. */
function standsStill(before: WorkerStatistics | undefined, now: WorkerStatistics): boolean {
  if (before === undefined || before.hotWires === 0 || now.hotWires === 0) return false;
  return (
    before.busyNanoseconds === now.busyNanoseconds &&
    before.idleNanoseconds === now.idleNanoseconds &&
    before.wakeUps === now.wakeUps
  );
}
