// SPDX-License-Identifier: Apache-2.0
// The schema of a wire document: of YAML files, of the control API's JSON and of the OpenAPI document.

import { z } from 'zod';
import type { Frozen } from './values/frozen.ts';
import { flag, text, whole } from './values/fields.ts';
import { apiVersion, kind, limits } from './values/limits.ts';
import { mechanismKeys, mechanismTypes } from './mechanisms/index.ts';
import * as checks from './values/value-checks.ts';

/** In words: 'a, b and c'. */
const names = `${mechanismTypes.slice(0, -1).join(', ')} and ${mechanismTypes.at(-1)}`;

const end = z
  .strictObject({
    ...mechanismKeys,
    pod: text(checks.plainText, 'the pod at this end, for metrics').optional(),
    namespace: text(checks.plainText, "the pod's Kubernetes namespace, for metrics").optional(),
  })
  .meta({ description: `one end: exactly one of ${names}` });

export const wireSchema = z
  .strictObject({
    apiVersion: z.literal(apiVersion),
    kind: z.literal(kind),
    metadata: z.strictObject({
      name: text(checks.wireName, `unique on this forwarder, at most ${limits.nameLength} bytes`),
      labels: z
        .record(z.string(), z.string())
        .default({})
        .meta({ description: 'words of your own, shown by describe' }),
    }),
    spec: z.strictObject({
      networkService: text(checks.plainText, 'the network service that this wire is part of').optional(),
      payload: z
        .enum(['ethernet', 'ip'])
        .default('ethernet')
        .meta({ description: 'ethernet frames, or IP packets without a link layer' }),
      mtu: whole(limits.mtu.least, limits.mtu.most, 'bytes of the longest IP packet').optional(),
      direct: flag('memif at both ends: the two applications share the memory themselves; nothing is counted').default(
        false,
      ),
      client: end,
      endpoint: end,
    }),
  })
  .meta({ description: 'A virtual wire between two ends' });

/** A document as people write it: keys with a default may be absent. */
export type WireDocument = Frozen<z.input<typeof wireSchema>>;
export type EndDocument = WireDocument['spec']['client'];
/** A document as read: with every default, and every address in canonical form. */
export type ReadDocument = z.output<typeof wireSchema>;

/** JSON Schema (2020-12) of a WireDocument. */
export const wireJsonSchema = z.toJSONSchema(wireSchema, { io: 'input' }) as JsonSchema;

export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly [keyword: string]: unknown;
}
