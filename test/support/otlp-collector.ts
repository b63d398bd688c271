// SPDX-License-Identifier: Apache-2.0
// Receives traces: OTLP over gRPC (opentelemetry-proto, collector/trace/v1/trace_service.proto and trace/v1/trace.proto). It
// decodes only what the tests check.

import { EventEmitter, once } from 'node:events';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { type sendUnaryData, Server, ServerCredentials, type ServerUnaryCall } from '@grpc/grpc-js';

export interface ReceivedSpan {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: Readonly<Record<string, string>>;
  /** 0 unset, 1 ok, 2 error. */
  readonly status: number;
}

type Fields = ReadonlyMap<number, readonly (Uint8Array | number)[]>;

export class OtlpCollector {
  readonly spans: ReceivedSpan[] = [];
  readonly #server = new Server();
  readonly #events = new EventEmitter();

  async start(port = 0): Promise<string> {
    this.#server.addService(
      {
        export: {
          path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
          requestStream: false,
          responseStream: false,
          requestSerialize: (bytes: Buffer) => bytes,
          requestDeserialize: (bytes: Buffer) => bytes,
          responseSerialize: (bytes: Buffer) => bytes,
          responseDeserialize: (bytes: Buffer) => bytes,
        },
      },
      {
        export: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
          this.spans.push(...spansOf(call.request));
          answer(null, Buffer.alloc(0));
          this.#events.emit('spans');
        },
      },
    );
    const bound = await new Promise<number>((resolve, reject) =>
      this.#server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, at) =>
        error ? reject(error) : resolve(at),
      ),
    );
    return `127.0.0.1:${bound}`;
  }

  async received(name: string): Promise<ReceivedSpan> {
    for (;;) {
      const span = this.spans.find((one) => one.name === name);
      if (span) return span;
      await once(this.#events, 'spans');
    }
  }

  stop(): void {
    this.#server.forceShutdown();
  }
}

function spansOf(request: Uint8Array): ReceivedSpan[] {
  return messages(fieldsOf(request), 1).flatMap((resourceSpans) => {
    const [resource] = messages(resourceSpans, 1);
    const service = (resource && attributesOf(resource, 1)['service.name']) ?? '';
    return messages(resourceSpans, 2)
      .flatMap((scopeSpans) => messages(scopeSpans, 2))
      .map((span) => ({
        service,
        traceId: hexadecimal(span, 1),
        spanId: hexadecimal(span, 2),
        traceState: text(span, 3),
        parentSpanId: hexadecimal(span, 4),
        name: text(span, 5),
        kind: Number(span.get(6)?.[0] ?? 0),
        attributes: attributesOf(span, 9),
        status: Number(messages(span, 15)[0]?.get(3)?.[0] ?? 0),
      }));
  });
}

/** KeyValue: key=1, value=2 of AnyValue, whose string_value=1. */
function attributesOf(from: Fields, field: number): Record<string, string> {
  return Object.fromEntries(
    messages(from, field).map((pair) => [text(pair, 1), text(messages(pair, 2)[0] ?? new Map(), 1)]),
  );
}

function messages(from: Fields, field: number): Fields[] {
  return (from.get(field) ?? []).map((bytes) => fieldsOf(bytes as Uint8Array));
}

const text = (from: Fields, field: number) => Buffer.from((from.get(field)?.[0] as Uint8Array) ?? []).toString();
const hexadecimal = (from: Fields, field: number) =>
  Buffer.from((from.get(field)?.[0] as Uint8Array) ?? []).toString('hex');

function fieldsOf(bytes: Uint8Array): Fields {
  const reader = new BinaryReader(bytes);
  const fields = new Map<number, (Uint8Array | number)[]>();
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    const values = fields.get(field) ?? [];
    fields.set(field, values);
    if (type === WireType.LengthDelimited) values.push(reader.bytes());
    else if (type === WireType.Varint) values.push(reader.uint32());
    else reader.skip(type);
  }
  return fields;
}
