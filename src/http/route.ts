// SPDX-License-Identifier: Apache-2.0
// A route of the control API: its description for the OpenAPI document, and its handler.

import type { SchemaName } from './schemas.ts';

export interface Call {
  readonly parameters: Readonly<Record<string, string>>; // from the path
  readonly query: URLSearchParams;
  readonly body: unknown; // undefined if the route takes none
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface Route {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly path: string; // /v1/wires/{name}
  readonly operationId: string;
  readonly summary: string;
  readonly query?: readonly {
    readonly name: string;
    readonly description: string;
    readonly values: readonly string[];
  }[];
  readonly takes?: SchemaName;
  readonly answers: Readonly<Record<number, { readonly description: string; readonly schema: SchemaName }>>;
  handle(call: Call): Promise<Answer> | Answer;
}
