// SPDX-License-Identifier: Apache-2.0
// The state of a wire in memory. Only jobs that hold the wire's queue change it.

import type { EngineWireId } from '../../dataplane/types.ts';
import type { LeaseView } from '../../machine/sriov/devices.ts';
import type { CrosswireError } from '../../model/error.ts';
import type { WireOwner, WirePhase } from '../../model/status.ts';
import type { EndName } from '../../model/wire.ts';
import type { Claims } from '../../wire/claims.ts';
import type { Wire } from '../../wire/wire.ts';
import type { BoundDevice, EngineState, InterfaceState } from '../../plan/state.ts';
import { WireMeter } from '../count/meter.ts';
import type { JournalRecord } from '../store/record.ts';

/** A wire, and who wants it. */
export interface Want {
  readonly wire: Wire;
  readonly owner: WireOwner;
}

/** A wire that cannot be made yet. */
export interface WaitingWant extends Want {
  readonly error: CrosswireError;
}

export class WireEntry {
  readonly name: string;
  readonly createdAt: string; // RFC 3339
  readonly meter = new WireMeter();
  wire: Wire;
  owner: WireOwner;
  /** The wire is of an earlier run, and its owner has not set it again. */
  isLeftover = false;
  /** What its owner wants, if that cannot be made yet. */
  waiting: WaitingWant | undefined;
  phase: WirePhase = 'pending';
  error: CrosswireError | undefined;
  engine: { readonly id: EngineWireId; state: EngineState } | undefined;
  /** As last made or observed. */
  interfaces: readonly InterfaceState[] = [];
  devices: readonly BoundDevice[] = [];
  /** The leases of its devices. */
  leases: readonly LeaseView[] = [];
  /** Whether each had a carrier when last observed. */
  running: Readonly<Partial<Record<EndName, boolean>>> = {};
  /** When the other side of a tunnel with sessions was heard last, and when somebody looked: seconds since 1970. */
  heard: Readonly<Partial<Record<EndName, number>>> & { readonly lookedAt?: number } = {};
  readonly #claims: Claims;
  #record: JournalRecord | undefined;

  constructor({ wire, owner }: Want, claims: Claims, record?: JournalRecord) {
    this.name = wire.name;
    this.owner = owner;
    this.createdAt = record?.createdAt ?? new Date().toISOString();
    this.wire = wire;
    this.#claims = claims;
    this.record = record;
  }

  /** The record as last written to the journal. Its claims are held. */
  get record(): JournalRecord | undefined {
    return this.#record;
  }
  set record(record: JournalRecord | undefined) {
    if (this.#record) this.#claims.release(this.#record);
    if (record) this.#claims.hold(record);
    this.#record = record;
  }
}
