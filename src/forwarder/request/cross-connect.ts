// SPDX-License-Identifier: Apache-2.0
// The wire between the caller's mechanism and the next hop's (cmd-forwarder-vpp, xconnect).

import { CrosswireError } from '../../model/error.ts';
import type { WireDocument } from '../../wire/wire-document.ts';
import type { ServiceParts } from '../parts/parts.ts';

/** A wire that fails is given up, unless its connection stood before. */
export async function crossConnect(
  { wires, tracing, readWire }: Pick<ServiceParts, 'wires' | 'tracing' | 'readWire'>,
  document: WireDocument,
  isNew: boolean,
): Promise<void> {
  const wire = await readWire(document);
  const [report] = await tracing.step('apply the wire', { 'crosswire.wire': wire.name }, () =>
    wires.set('nsm', [wire], { giveUpFailed: isNew }),
  );
  if (report?.error) throw new CrosswireError(report.error);
}
