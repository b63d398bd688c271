// SPDX-License-Identifier: Apache-2.0
// Reads the body of a request: of limited size, of the right content type, JSON.

import type { IncomingMessage } from 'node:http';
import { CrosswireError } from '../model/error.ts';

export const longestBody = 32 * 1024 * 1024; // about 40,000 wires

const operation = 'reading the request body';

export async function readJsonObject(request: IncomingMessage): Promise<object> {
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type)) {
    const reason = type === '' ? 'has no content type' : `has the content type ${JSON.stringify(type.slice(0, 80))}`;
    throw bodyError('CONTENT_TYPE_WRONG', reason, 'send application/json');
  }
  const text = await readText(request);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw bodyError('JSON_BROKEN', cause instanceof Error ? cause.message : String(cause));
  }
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  throw bodyError('BODY_INVALID', 'must be a JSON object');
}

async function readText(request: IncomingMessage): Promise<string> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > longestBody) throw tooLong();
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > longestBody) throw tooLong();
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw bodyError('JSON_BROKEN', 'is not UTF-8');
  }
}

const tooLong = () => bodyError('BODY_TOO_LARGE', `is longer than ${longestBody} bytes`, 'apply fewer wires at a time');

const bodyError = (code: string, reason: string, hint?: string) =>
  new CrosswireError({ code, operation, subject: '', reason, hint });
