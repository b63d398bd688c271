// SPDX-License-Identifier: Apache-2.0
// The routes of the control API.

import type { DeviceReport, DeviceStatus } from '../model/device-status.ts';
import { CrosswireError } from '../model/error.ts';
import type { EndCounters } from '../model/status.ts';
import type { Wire } from '../wire/wire.ts';
import type { JsonSchema } from '../wire/wire-schema.ts';
import { openApiDocument } from './openapi.ts';
import type { Answer, Route } from './route.ts';
import type { DaemonStatus } from './schemas.ts';
import type { WireManager } from './wire-manager.ts';

export interface ReadWires {
  readonly wires: readonly Wire[];
  readonly errors: readonly CrosswireError[];
}

export interface ControlApi {
  readonly wires: WireManager;
  readonly version: string;
  status(): DaemonStatus;
  devices(): Promise<DeviceReport>;
  /** Parses wire documents, whose JSON schema is `wireDocument`. */
  parseWires(documents: readonly unknown[]): Promise<ReadWires>;
  readonly wireDocument: JsonSchema;
}

const ok = (body: unknown): Answer => ({ status: 200, body });

export function controlRoutes(api: ControlApi): readonly Route[] {
  const { wires: manager } = api;
  const routes: Route[] = [
    {
      method: 'GET',
      path: '/v1/wires',
      operationId: 'listWires',
      summary: 'Every wire and its state, sorted by name',
      answers: { 200: { description: 'the wires', schema: 'WireStatusList' } },
      handle: () => ok({ wires: manager.list() }),
    },
    {
      method: 'PUT',
      path: '/v1/wires',
      operationId: 'applyWires',
      summary: 'Make or change wires; others stay. Nothing is touched unless all of them are valid',
      query: [{ name: 'dryRun', description: 'true: only say what would be done', values: ['true', 'false'] }],
      takes: 'WireDocumentList',
      answers: { 200: { description: 'a report for each wire, in their order', schema: 'ApplyReportList' } },
      handle: async ({ body, query }) => {
        const wires = await wiresOf(api, body);
        return ok({ reports: await manager.set('api', wires, { dryRun: isDryRun(query) }) });
      },
    },
    {
      method: 'GET',
      path: '/v1/wires/{name}',
      operationId: 'getWire',
      summary: 'One wire and its state',
      answers: { 200: { description: 'the wire', schema: 'WireStatus' } },
      handle: async ({ parameters: { name = '' } }) => ok((await manager.look(name)) ?? notFound(name)),
    },
    {
      method: 'DELETE',
      path: '/v1/wires/{name}',
      operationId: 'removeWire',
      summary: 'Remove a wire',
      answers: {
        200: { description: 'it is gone, or what could not be removed', schema: 'RemoveReport' },
        404: { description: 'there was none', schema: 'RemoveReport' },
      },
      handle: async ({ parameters: { name = '' } }) => {
        const [report] = await manager.remove([name]);
        return { status: report?.outcome === 'missing' ? 404 : 200, body: report };
      },
    },
    {
      method: 'GET',
      path: '/v1/wires/{name}/explanation',
      operationId: 'explainWire',
      summary: 'Which path the wire takes, why, and by which actions',
      answers: { 200: { description: 'the explanation', schema: 'Explanation' } },
      handle: async ({ parameters: { name = '' } }) => ok((await manager.explain(name)) ?? notFound(name)),
    },
    {
      method: 'GET',
      path: '/v1/wires/{name}/counters',
      operationId: 'getWireCounters',
      summary: 'Its counters since it was made; rx: frames that entered the wire from that end',
      answers: { 200: { description: 'the counters', schema: 'WireCounters' } },
      handle: async ({ parameters: { name = '' } }) => {
        const counters = (await manager.counters()).get(name) ?? notFound(name);
        return ok({ client: asText(counters.client), endpoint: asText(counters.endpoint) });
      },
    },
    {
      method: 'POST',
      path: '/v1/explanations',
      operationId: 'explainDocuments',
      summary: 'Which paths these wires would take, why, and by which actions',
      takes: 'WireDocumentList',
      answers: { 200: { description: 'an explanation for each wire, in their order', schema: 'ExplanationList' } },
      handle: async ({ body }) => {
        const wires = await wiresOf(api, body);
        const explanations = await Promise.all(wires.map((wire) => manager.explain(wire)));
        return ok({ explanations });
      },
    },
    {
      method: 'GET',
      path: '/v1/devices',
      operationId: 'listDevices',
      summary: 'The NICs that have virtual functions, and each of these: free, leased or unusable, and why',
      answers: { 200: { description: 'the devices, by address', schema: 'DeviceReport' } },
      handle: async () => {
        const report = await api.devices();
        return ok({ ...report, devices: report.devices.map(withTexts) });
      },
    },
    {
      method: 'GET',
      path: '/v1/health',
      operationId: 'listHealthRecords',
      summary: 'Everything that is not as it should be',
      answers: { 200: { description: 'the records', schema: 'HealthRecordList' } },
      handle: () => ok({ records: manager.health() }),
    },
    {
      method: 'GET',
      path: '/v1/status',
      operationId: 'getStatus',
      summary: 'The forwarder itself',
      answers: { 200: { description: 'its state', schema: 'Status' } },
      handle: () => ok(api.status()),
    },
    {
      method: 'GET',
      path: '/openapi.json',
      operationId: 'getDocument',
      summary: 'This document',
      answers: { 200: { description: 'an OpenAPI 3.1 document', schema: 'Document' } },
      handle: () => ok(openApiDocument(routes, api.version, api.wireDocument)),
    },
  ];
  return routes;
}

/** The wires of a body that is known to be an object. */
async function wiresOf(api: ControlApi, body: unknown): Promise<readonly Wire[]> {
  const { wires: documents, ...others } = body as Record<string, unknown>;
  if (!Array.isArray(documents) || Object.keys(others).length > 0)
    throw new CrosswireError({
      code: 'BODY_INVALID',
      operation: 'reading wires',
      subject: 'the request body',
      reason: "must have the key 'wires' with a list of wire documents, and no other",
    });
  const { wires, errors } = await api.parseWires(documents);
  if (errors.length > 0) throw new AggregateError(errors, 'the wires are not valid');
  return wires;
}

function isDryRun(query: URLSearchParams): boolean {
  const value = query.get('dryRun') ?? 'false';
  if (value === 'true' || value === 'false') return value === 'true';
  const reason = `must be true or false, not ${JSON.stringify(value.slice(0, 80))}`;
  throw new CrosswireError({ code: 'QUERY_INVALID', operation: 'reading the query', subject: 'dryRun', reason });
}

function asText({ drops, ...counters }: EndCounters): object {
  return { ...texts(counters), drops: texts(drops) };
}

function withTexts({ counters, ...device }: DeviceStatus): object {
  return counters ? { ...device, counters: texts(counters) } : device;
}

/** Writes bigints as decimal digits, because JSON numbers are exact only up to 2^53. */
function texts(values: object): object {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)]));
}

function notFound(name: string): never {
  const reason = 'there is no wire of that name';
  throw new CrosswireError({ code: 'WIRE_NOT_FOUND', operation: 'looking for a wire', subject: name, reason });
}
