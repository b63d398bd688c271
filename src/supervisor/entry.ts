// SPDX-License-Identifier: Apache-2.0
// What the supervisor remembers of a wire while it runs. Only jobs of the wire's own queue change it.

import type { EngineWireId } from '../dataplane/types.ts';
import type { CrosswireError } from '../model/error.ts';
import type { WirePhase } from '../model/status.ts';
import type { EndName, Wire } from '../model/wire.ts';
import type { EngineState, InterfaceState } from '../plan/state.ts';
import { WireMeter } from './meter.ts';
import type { JournalRecord } from './record.ts';

export interface WireEntry {
  readonly name: string;
  readonly createdAt: string; // RFC 3339
  readonly meter: WireMeter;
  wire: Wire;
  phase: WirePhase;
  error: CrosswireError | undefined;
  /** As last written to the journal. */
  record: JournalRecord | undefined;
  engine: { readonly id: EngineWireId; state: EngineState } | undefined;
  /** As last made or observed. */
  interfaces: readonly InterfaceState[];
  /** Whether each had a carrier when last observed. */
  running: Readonly<Partial<Record<EndName, boolean>>>;
}

export function newEntry(wire: Wire, record?: JournalRecord): WireEntry {
  return {
    name: wire.name,
    createdAt: record?.createdAt ?? new Date().toISOString(),
    meter: new WireMeter(),
    wire,
    phase: 'pending',
    error: undefined,
    record,
    engine: undefined,
    interfaces: [],
    running: {},
  };
}
