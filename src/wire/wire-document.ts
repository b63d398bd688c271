// SPDX-License-Identifier: Apache-2.0
// A document, however it was written → a wire with every default filled in and every address in canonical form; and back.

import { toItself } from './claims.ts';
import { freeze, tidy } from './values/frozen.ts';
import { apiVersion, kind } from './values/limits.ts';
import { kindOf, type Mechanism, mechanisms, mechanismTypes } from './mechanisms/index.ts';
import type { Problem } from './values/problems.ts';
import { problemsOf } from './schema-problems.ts';
import type { End, Wire } from './wire.ts';
import { ruleProblems } from './wire-rules.ts';
import { type EndDocument, type ReadDocument, type WireDocument, wireSchema } from './wire-schema.ts';

export type { EndDocument, WireDocument };
export type Reading =
  | { readonly wire: Wire; readonly problems: readonly [] }
  | { readonly problems: readonly Problem[] };

export function readDocument(document: unknown): Reading {
  const parsed = wireSchema.safeParse(document);
  const single = parsed.success ? [] : parsed.error.issues.flatMap((issue) => problemsOf(issue, document));
  const problems = [...single, ...ruleProblems(document)];
  if (!parsed.success || problems.length > 0) return { problems };
  const wire = freeze(toWire(parsed.data)) as Wire;
  const reflexive = toItself(wire);
  return reflexive.length > 0 ? { problems: reflexive } : { wire, problems: [] };
}

function toWire({ metadata, spec }: ReadDocument): Wire {
  return tidy({
    name: metadata.name,
    labels: { ...metadata.labels },
    networkService: spec.networkService,
    payload: spec.payload,
    mtu: spec.mtu,
    direct: spec.direct || undefined,
    client: toEnd(spec.client),
    endpoint: toEnd(spec.endpoint),
  });
}

function toEnd(written: ReadDocument['spec']['client']): End {
  const { pod, namespace } = written;
  return tidy({ mechanism: toMechanism(written), pod, namespace });
}

function toMechanism(written: ReadDocument['spec']['client']): Mechanism {
  const [type] = mechanismTypes.filter((one) => written[one] !== undefined);
  if (type === undefined) throw new Error('an end without a mechanism passed the rules');
  return tidy(mechanisms[type].toWired(written[type] as Record<string, unknown>)) as unknown as Mechanism;
}

/** The document that reads as this wire: what the command line sends to the daemon. */
export function toDocument(wire: Wire): WireDocument {
  const { name, labels, client, endpoint, direct = false, ...spec } = wire;
  return {
    apiVersion,
    kind,
    metadata: { name, labels: { ...labels } },
    spec: { ...spec, direct, client: fromEnd(client), endpoint: fromEnd(endpoint) },
  };
}

function fromEnd({ mechanism, ...rest }: End): EndDocument {
  return { [mechanism.type]: kindOf(mechanism).toDocument(mechanism), ...rest };
}
