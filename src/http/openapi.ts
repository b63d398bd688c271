// SPDX-License-Identifier: Apache-2.0
// Makes the OpenAPI 3.1 document from the routes.

import type { JsonSchema } from '../wire/wire-schema.ts';
import type { Route } from './route.ts';
import { componentSchemas, type SchemaName } from './schemas.ts';

const reference = (name: SchemaName) => ({ 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } });

export function openApiDocument(routes: readonly Route[], version: string, wireDocument: JsonSchema): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route);
  const wires = { type: 'array', items: { $ref: '#/components/schemas/WireDocument' } };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Crosswire control API',
      version,
      description: 'HTTP and JSON on a unix socket of mode 0600: who may open it may do everything.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      schemas: {
        ...componentSchemas(),
        WireDocument: wireDocument,
        WireDocumentList: { type: 'object', properties: { wires }, required: ['wires'], additionalProperties: false },
      },
    },
  };
}

function operation({ operationId, summary, path, query = [], takes, answers }: Route): object {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const inQuery = query.map(({ name, description, values }) => ({
    name,
    in: 'query',
    description,
    schema: { type: 'string', enum: values },
  }));
  const failures = { default: { description: 'what went wrong', content: reference('Errors') } };
  const responses = Object.entries(answers).map(([status, { description, schema }]) => [
    status,
    { description, content: reference(schema) },
  ]);
  return {
    operationId,
    summary,
    ...(inPath.length + inQuery.length > 0 ? { parameters: [...inPath, ...inQuery] } : {}),
    ...(takes ? { requestBody: { required: true, content: reference(takes) } } : {}),
    responses: { ...Object.fromEntries(responses), ...failures },
  };
}
