// SPDX-License-Identifier: Apache-2.0
// The schemas of the control API's answers. `satisfies` keeps them equal to the types of the model. They are the components of
// the OpenAPI document, and a test checks every answer of a running server against them.

import { z } from 'zod';
import type { ApplyReport, Explanation, HealthRecord, RemoveReport } from '../model/status.ts';
import type { EndStatus, WireStatus } from '../wire/status.ts';
import type { DeviceStatus, Holder, PhysicalFunctionStatus } from '../model/device-status.ts';
import type { ErrorDetails } from '../model/error.ts';
import { type Mechanism, mechanisms, mechanismTypes } from '../wire/mechanisms/index.ts';
import type { MechanismKind } from '../wire/mechanisms/mechanism.ts';
import type { End, Wire } from '../wire/wire.ts';

const texts = z.array(z.string());
const count = z.int().min(0);
const moment = z.iso.datetime();
const path = z.enum(['veth', 'engine', 'tunnel', 'vlan', 'proxy', 'nic']);
const payload = z.enum(['ethernet', 'ip']);
const endName = z.enum(['client', 'endpoint']);

const error = z.strictObject({
  code: z.string().meta({ description: 'stable; docs/errors.md lists them' }),
  operation: z.string(),
  subject: z.string(),
  reason: z.string(),
  hint: z.string().optional(),
  errno: z.int().optional(),
}) satisfies z.ZodType<ErrorDetails>;

/** The mechanism of an end with its secrets replaced. */
function shown({ wired, secrets }: MechanismKind): z.ZodObject {
  const blotted = z.string().meta({ description: "always '(set)'" });
  const covers = secrets.map((key) => [key, wired.shape[key]?.isOptional() ? blotted.optional() : blotted]);
  return wired.extend(Object.fromEntries(covers));
}

const [first, ...others] = mechanismTypes.map((type) => shown(mechanisms[type]));
const mechanism = z.discriminatedUnion('type', [first as z.ZodObject, ...others]) as unknown as z.ZodType<Mechanism>;

const end = z.strictObject({
  mechanism,
  pod: z.string().optional(),
  namespace: z.string().optional(),
}) satisfies z.ZodType<End>;

const wire = z.strictObject({
  name: z.string(),
  labels: z.record(z.string(), z.string()),
  networkService: z.string().optional(),
  payload,
  mtu: count.optional(),
  direct: z.boolean().optional(),
  client: end,
  endpoint: end,
}) satisfies z.ZodType<Wire>;

const deviceNode = z.strictObject({ major: count, minor: count });

const endStatus = z.strictObject({
  mechanism: z.enum(mechanismTypes),
  up: z.boolean(),
  detail: z.string(),
  interface: z.string().optional(),
  netns: z.string().optional(),
  mac: z.string().optional(),
  socket: z.string().optional(),
  peer: z.string().optional(),
  rings: count.optional(),
  ringSize: count.optional(),
  sessions: count.optional(),
  device: z.string().optional().meta({ description: 'the PCI address of its virtual function' }),
  iommuGroup: count.optional(),
  deviceNodes: z
    .strictObject({ container: deviceNode, group: deviceNode })
    .optional()
    .meta({ description: 'of /dev/vfio/vfio and /dev/vfio/GROUP' }),
}) satisfies z.ZodType<EndStatus>;

const wireStatus = z.strictObject({
  name: z.string(),
  phase: z.enum(['pending', 'up', 'degraded', 'failed', 'removing']),
  owner: z
    .enum(['files', 'api', 'nsm'])
    .meta({ description: 'who wants it: the files of --wires, this API, the mesh' }),
  path,
  mtu: count,
  spec: wire,
  client: endStatus,
  endpoint: endStatus,
  createdAt: moment,
  error: error.optional(),
}) satisfies z.ZodType<WireStatus>;

const applyReport = z.strictObject({
  name: z.string(),
  outcome: z.enum(['created', 'changed', 'unchanged', 'failed']),
  actions: texts,
  error: error.optional(),
}) satisfies z.ZodType<ApplyReport>;

const removeReport = z.strictObject({
  name: z.string(),
  outcome: z.enum(['removed', 'missing', 'failed']),
  errors: z.array(error),
}) satisfies z.ZodType<RemoveReport>;

const explanation = z.strictObject({
  name: z.string(),
  path,
  why: texts,
  actions: texts,
  pending: texts,
}) satisfies z.ZodType<Explanation>;

const healthRecord = z.strictObject({
  code: z.string(),
  severity: z.enum(['info', 'warning', 'error']),
  text: z.string(),
  wire: z.string().optional(),
  end: endName.optional(),
  since: moment,
}) satisfies z.ZodType<HealthRecord>;

/** A string of decimal digits: JSON numbers are exact only up to 2^53. */
const bigCount = z.string().regex(/^\d+$/);
const endCounters = z.strictObject({
  rxPackets: bigCount,
  rxBytes: bigCount,
  txPackets: bigCount,
  txBytes: bigCount,
  rxErrors: bigCount,
  txErrors: bigCount,
  drops: z.record(z.string(), bigCount),
});

const physicalFunctionStatus = z.strictObject({
  pci: z.string().meta({ description: 'its address, like 0000:01:00.0' }),
  driver: z.string().optional(),
  interface: z.string().optional(),
  up: z.boolean(),
  present: count,
  possible: count,
  resources: texts,
  problem: z.string().optional(),
}) satisfies z.ZodType<PhysicalFunctionStatus>;

const holder = z.strictObject({
  pci: z.string(),
  wire: z.string(),
  end: endName,
  state: z.enum(['taking', 'held', 'returning']),
}) satisfies z.ZodType<Holder>;

const deviceStatus = z.strictObject({
  pci: z.string().meta({ description: 'its address, like 0000:01:10.0' }),
  physicalFunction: z.string(),
  index: count,
  state: z.enum(['free', 'leased', 'unusable']),
  holder: holder.optional(),
  refusals: z.strictObject({ kernel: z.string().optional(), vfio: z.string().optional() }),
  driver: z.string().optional(),
  iommuGroup: count.optional(),
  interface: z.string().optional(),
  resources: texts,
  mac: z.string().optional(),
  vlan: count.optional(),
  trust: z.boolean().optional(),
  spoofCheck: z.boolean().optional(),
  maxRate: count.optional(),
}) satisfies z.ZodType<Omit<DeviceStatus, 'counters'>>;

const deviceCounters = z.strictObject({
  rxPackets: bigCount,
  txPackets: bigCount,
  rxBytes: bigCount,
  txBytes: bigCount,
  rxDropped: bigCount,
  txDropped: bigCount,
});

const status = z.strictObject({
  version: z.string(),
  node: z.string(),
  pid: count,
  startedAt: moment,
  wires: count,
  workers: z.array(z.strictObject({ worker: count, wires: count, hotWires: count })),
});

const schemas = {
  Wire: wire,
  WireStatus: wireStatus,
  ApplyReport: applyReport,
  RemoveReport: removeReport,
  Explanation: explanation,
  HealthRecord: healthRecord,
  Error: error,
  Errors: z.strictObject({ errors: z.array(error).min(1) }),
  WireStatusList: z.strictObject({ wires: z.array(wireStatus) }),
  ApplyReportList: z.strictObject({ reports: z.array(applyReport) }),
  ExplanationList: z.strictObject({ explanations: z.array(explanation) }),
  HealthRecordList: z.strictObject({ records: z.array(healthRecord) }),
  PhysicalFunctionStatus: physicalFunctionStatus,
  DeviceStatus: deviceStatus.extend({ counters: deviceCounters.optional() }),
  DeviceReport: z.strictObject({
    physicalFunctions: z.array(physicalFunctionStatus),
    devices: z.array(deviceStatus.extend({ counters: deviceCounters.optional() })),
    lost: z.array(holder),
  }),
  WireCounters: z.strictObject({ client: endCounters, endpoint: endCounters }),
  Status: status,
  Document: z.looseObject({ openapi: z.string() }),
} as const;

/** The schemas WireDocument and WireDocumentList come from src/wire, by way of src/main. */
export type SchemaName = keyof typeof schemas | 'WireDocument' | 'WireDocumentList';
export type DaemonStatus = z.output<typeof status>;

export function componentSchemas(): Record<string, object> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const { schemas: made } = z.toJSONSchema(registry, { uri: (id) => `#/components/schemas/${id}` });
  return Object.fromEntries(
    Object.entries(made).map(([id, { $id: _id, $schema: _dialect, ...schema }]) => [id, schema]),
  );
}
