// SPDX-License-Identifier: Apache-2.0
// Translates a connection, with the mechanisms agreed on both sides, to the document of a wire, as in a wire file and checked by
// the same rules.

import type { EndName } from '../../model/wire.ts';
import type { WireStatus } from '../../wire/status.ts';
import { apiVersion, kind } from '../../wire/values/limits.ts';
import type { Wire } from '../../wire/wire.ts';
import type { WireDocument } from '../../wire/wire-document.ts';
import type { Connection, Mechanism } from '../generated/connection.ts';
import { endsInDevice } from '../mechanisms/devices.ts';
import { endOf } from '../mechanisms/index.ts';
import type { Agreement } from '../mechanisms/mechanism.ts';
import { label, mechanismType, parameter, payload } from '../names.ts';
import { clientOf, nextSegment } from '../path/path-segments.ts';

/** Labels that are added to those of the connection. The journal keeps them, so that the next run knows the wire's connection. */
const ownLabel = { connection: 'nsm/connection', client: 'nsm/client', next: 'nsm/next' } as const;
const tokenLabel = { client: 'nsm/token.client', endpoint: 'nsm/token.endpoint' } as const;

/** The token with which kubelet gave the device of an end to a pod. */
export function tokenOf(wire: Wire, end: EndName): string | undefined {
  return wire.labels[tokenLabel[end]];
}

/** The SPIFFE ID of the client that the wire was made for. */
export function clientOfWire(wire: WireStatus | undefined): string | undefined {
  return wire?.spec.labels[ownLabel.client] || undefined;
}

/** Whether the next segment of the path is the same as when the wire was made. */
export function isNextOfWire({ spec }: WireStatus, connection: Connection): boolean {
  const next = nextSegment(connection)?.id;
  return next !== undefined && next === spec.labels[ownLabel.next];
}

export function wireDocumentOf(agreement: Agreement): WireDocument {
  const { name, connection, client, endpoint, memifViaEngine } = agreement;
  const { labels, networkService, networkServiceEndpointName, context } = connection;
  const bothMemif = client.type === mechanismType.memif && endpoint.type === mechanismType.memif;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      labels: {
        ...labels,
        [ownLabel.connection]: connection.id,
        [ownLabel.client]: clientOf(connection),
        [ownLabel.next]: nextSegment(connection)?.id ?? '',
        ...labelOfToken('client', client),
        ...labelOfToken('endpoint', endpoint),
      },
    },
    spec: {
      ...(networkService ? { networkService } : {}),
      payload: connection.payload === payload.ethernet ? 'ethernet' : 'ip',
      ...(context?.MTU ? { mtu: context.MTU } : {}),
      ...(bothMemif && !memifViaEngine ? { direct: true } : {}),
      client: { ...endOf(agreement, 'client'), ...podOf(labels) },
      endpoint: {
        ...endOf(agreement, 'endpoint'),
        ...(networkServiceEndpointName ? { pod: networkServiceEndpointName } : {}),
      },
    },
  };
}

function podOf(labels: Connection['labels']): { pod?: string; namespace?: string } {
  const [pod, namespace] = [labels[label.pod], labels['namespace']];
  return { ...(pod ? { pod } : {}), ...(namespace ? { namespace } : {}) };
}

function labelOfToken(end: EndName, mechanism: Mechanism): Readonly<Record<string, string>> {
  const token = mechanism.parameters[parameter.tokenId];
  return endsInDevice(mechanism) && token !== undefined ? { [tokenLabel[end]]: token } : {};
}
