// SPDX-License-Identifier: Apache-2.0
// The OpenAPI document against the running server: every path and method in it answers, every answer fits its schema,
// and every route of the server is in it.

import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import test from 'ava';
import { toDocument } from '../../../src/wire/wire-document.ts';
import { controlRoutes } from '../../../src/http/control-routes.ts';
import { kernel, memif, wire } from '../../fakes/wires.ts';
import { type ControlFixture, type Reply, startControl } from '../../support/control.ts';

interface Operation {
  readonly operationId: string;
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content: Content }>>;
}
interface Content {
  readonly 'application/json': { readonly schema: { readonly $ref: string } };
}
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: object;
}

const web = wire('web', {
  labels: { app: 'web' },
  networkService: 'secure',
  mtu: 1400,
  client: {
    mechanism: {
      ...kernel('nsm-1'),
      type: 'kernel',
      namespace: { pid: 12 },
      mac: '02:00:00:00:00:01',
      routes: [{ to: '10.8.0.0/16', via: '10.0.0.2' }, { to: '10.7.0.0/16' }],
      neighbours: [{ address: '10.0.0.2', mac: '02:00:00:00:00:02' }],
    } as ReturnType<typeof kernel>,
    pod: 'web-0',
    namespace: 'shop',
  },
  endpoint: { mechanism: { ...memif('@fw', 3), netns: '/run/netns/b', secret: '(set)' } as ReturnType<typeof memif> },
});

async function load(control: ControlFixture) {
  const document = (await control.call('GET', '/openapi.json')).body as Document;
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
  formats.default(ajv);
  ajv.addVocabulary(['openapi', 'info', 'paths', 'components', 'example']);
  ajv.addSchema({ $id: 'openapi.json', components: document.components });
  const validator = (content: Content): ValidateFunction =>
    ajv.compile({ $ref: `openapi.json${content['application/json'].schema.$ref}` });
  return { document, validator };
}

const documents = { wires: [toDocument(web), toDocument({ ...web, name: 'broken', ...otherEnds('x') })] };

function otherEnds(name: string) {
  return { client: { mechanism: kernel(name) }, endpoint: { mechanism: kernel(name, '/run/netns/z') } };
}

/** What is sent to each operation, and the answers that it must bring about. */
const exchanges: Readonly<Record<string, readonly [status: number, path: string, body?: unknown][]>> = {
  listWires: [[200, '/v1/wires']],
  applyWires: [
    [200, '/v1/wires', documents],
    [200, '/v1/wires?dryRun=true', documents],
    [400, '/v1/wires', { wires: [{}] }],
  ],
  getWire: [
    [200, '/v1/wires/web'],
    [200, '/v1/wires/broken'],
    [404, '/v1/wires/missing'],
  ],
  explainWire: [
    [200, '/v1/wires/web/explanation'],
    [404, '/v1/wires/missing/explanation'],
  ],
  getWireCounters: [
    [200, '/v1/wires/web/counters'],
    [404, '/v1/wires/missing/counters'],
  ],
  explainDocuments: [[200, '/v1/explanations', documents]],
  listDevices: [[200, '/v1/devices']],
  listHealthRecords: [[200, '/v1/health']],
  getStatus: [[200, '/v1/status']],
  getDocument: [[200, '/openapi.json']],
  removeWire: [
    [200, '/v1/wires/broken'],
    [200, '/v1/wires/stuck'],
    [404, '/v1/wires/missing'],
  ],
};

test('every operation answers as the document says', async (t) => {
  const control = await startControl(t);
  await control.manager.set('api', [web]);
  await control.call('PUT', '/v1/wires', documents);
  control.manager.records = [
    { code: 'X', severity: 'warning', text: 'x', wire: 'web', end: 'client', since: '2026-11-20T08:00:00.000Z' },
  ];
  const { document, validator } = await load(control);
  t.is(document.openapi, '3.1.0');
  const seen = new Set<string>();
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  // Removing last, so that the others have something to answer about.
  for (const { method, operation } of operations.toSorted(
    (a, b) => Number(a.method === 'DELETE') - Number(b.method === 'DELETE'),
  ))
    for (const [status, path, body] of exchanges[operation.operationId] ?? []) {
      const reply: Reply = await control.call(method, path, body);
      t.is(reply.status, status, `${method} ${path}: ${JSON.stringify(reply.body)}`);
      const described = operation.responses[String(status)] ?? operation.responses['default'];
      const validate = validator((described as { content: Content }).content);
      t.true(
        validate(reply.body),
        `${method} ${path}: ${JSON.stringify(validate.errors)} in ${JSON.stringify(reply.body)}`,
      );
      if (operation.requestBody && status === 200) t.true(validator(operation.requestBody.content)(body));
      seen.add(operation.operationId);
    }
  t.deepEqual([...seen].toSorted(), Object.keys(exchanges).toSorted());
  t.deepEqual(operations.map(({ operation }) => operation.operationId).toSorted(), [...seen].toSorted());
});

test('every route of the server is in the document, and nothing else', async (t) => {
  const control = await startControl(t);
  const { document } = await load(control);
  const inDocument = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const onServer = controlRoutes({} as Parameters<typeof controlRoutes>[0]).map(
    ({ method, path }) => `${method} ${path}`,
  );
  t.deepEqual(inDocument.toSorted(), onServer.toSorted());
});

test('the schemas notice an answer that is wrong', async (t) => {
  const control = await startControl(t);
  const { validator } = await load(control);
  const validate = validator({ 'application/json': { schema: { $ref: '#/components/schemas/WireStatus' } } });
  await control.manager.set('api', [web]);
  const good = JSON.parse(JSON.stringify(control.manager.get('web'))) as Record<string, unknown>;
  t.true(validate(good));
  t.false(validate({ ...good, phase: 'fine' }));
  t.false(validate({ ...good, extra: 1 }));
});

test('the schema of wire documents accepts what the reader accepts, and no unknown key', async (t) => {
  const control = await startControl(t);
  const { validator } = await load(control);
  const validate = validator({ 'application/json': { schema: { $ref: '#/components/schemas/WireDocument' } } });
  const good = toDocument(web);
  t.true(validate(good), JSON.stringify(validate.errors));
  t.false(validate({ ...good, colour: 'red' }));
});
