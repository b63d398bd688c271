// SPDX-License-Identifier: Apache-2.0
// Engine wires hold file descriptors, and a process without free descriptors can do nothing. So a wire is refused while enough are
// left for the existing wires, netlink, the journal and the control API.

import { descriptorLimit, openDescriptors } from '../../machine/descriptors.ts';
import { CrosswireError } from '../../model/error.ts';
import type { Action } from '../../plan/action.ts';
import type { EngineEnd, EngineState } from '../../plan/state.ts';

export interface Descriptors {
  readonly open: () => number;
  readonly limit: () => number;
}

/** For connections of the control API and of scrapes, netlink sockets and journal files; all of these are bounded. */
const spare = 384;

export class DescriptorBudget {
  readonly #descriptors: Descriptors;
  /** At least as many as are open, as far as wires go: counted on from the last look, for looking may be slow. */
  #counted = Number.POSITIVE_INFINITY;

  constructor(descriptors: Descriptors = { open: openDescriptors, limit: descriptorLimit }) {
    this.#descriptors = descriptors;
  }

  /** Throws if the actions on a wire need too many. */
  require(wire: string, actions: readonly Action[]): void {
    const needed = neededBy(actions);
    if (needed === 0) return;
    const limit = this.#descriptors.limit();
    if (this.#counted + needed > limit - spare) this.#counted = this.#descriptors.open();
    if (this.#counted + needed > limit - spare) throw refusal(wire, needed, this.#counted, limit);
    this.#counted += needed;
  }
}

function neededBy(actions: readonly Action[]): number {
  const restarts = actions.some(({ kind }) => kind === 'stopEngineWire'); // gives back what it takes
  let needed = 0;
  for (const action of actions) {
    if (action.kind === 'replaceEngineEnd') needed += heldBy(action.to);
    if (action.kind === 'startEngineWire' && !restarts) needed += heldByEngine(action.engine);
  }
  return needed;
}

/** The descriptors of an engine wire. A direct wire has a listener, the namespace of its connections, and up to eight sessions of
 *  two sockets. */
function heldByEngine({ direct, client, endpoint }: EngineState): number {
  return direct ? 2 + 8 * 2 : heldBy(client) + heldBy(endpoint);
}

/** At most, with a peer connected: of memif an epoll, the worker's eventfd, the listener, the connection, the memory and
 *  an eventfd for each ring of both directions; of a tap its queue and an epoll; of a tunnel its namespace, too. */
function heldBy(end: EngineEnd): number {
  if (end.kind === 'tunnel') return 3;
  return end.kind === 'memif' ? 5 + 2 * end.rings : 2;
}

function refusal(wire: string, needed: number, open: number, limit: number): CrosswireError {
  return new CrosswireError({
    code: 'OUT_OF_DESCRIPTORS',
    operation: 'apply the wire',
    subject: wire,
    reason: `it may need ${needed} file descriptors; ${open} of ${limit} are open, and ${spare} are kept for the rest`,
    hint: 'raise the hard limit of open files of the daemon: LimitNOFILE= of systemd, ulimit -Hn',
  });
}
