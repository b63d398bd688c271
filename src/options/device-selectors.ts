// SPDX-License-Identifier: Apache-2.0
// Parses NSM's device selector file, which maps gateways to the host devices that lead to them. `via` is the name by which
// endpoints refer to a gateway.

import { parse } from 'yaml';
import { z } from 'zod';
import { CrosswireError } from '../model/error.ts';
import { interfaceName } from '../wire/values/value-checks.ts';

const mostBytes = 1024 * 1024;

const name = z.string().check((context) => {
  const complaint = interfaceName(context.value);
  if (complaint) context.issues.push({ code: 'custom', message: complaint.reason, input: context.value });
});
const selector = z.strictObject({ via: z.string().min(1) });
const matches = z.array(z.strictObject({ labelSelector: z.array(selector).min(1) }));
const file = z.strictObject({ interfaces: z.array(z.strictObject({ name, matches })).default([]) });

/** Returns gateway → device. If a gateway has two devices, the later one counts, as in NSM's own forwarder. Throws the first
 *  error of the file. */
export function parseDeviceSelectors(text: string, fileName: string): ReadonlyMap<string, string> {
  const read = file.safeParse(contentOf(text, fileName));
  if (!read.success) {
    const [issue] = read.error.issues;
    throw refusal('VALUE_INVALID', fileName, `${issue?.path.join('.') || 'the file'}: ${issue?.message ?? ''}`);
  }
  return new Map(
    read.data.interfaces.flatMap((device) =>
      device.matches.flatMap(({ labelSelector }) => labelSelector.map(({ via }) => [via, device.name] as const)),
    ),
  );
}

function contentOf(text: string, fileName: string): unknown {
  if (text.length > mostBytes) throw refusal('VALUE_INVALID', fileName, `is longer than ${mostBytes} bytes`);
  try {
    return parse(text) ?? {};
  } catch (error) {
    throw refusal('YAML_BROKEN', fileName, (error as Error).message);
  }
}

function refusal(code: string, subject: string, reason: string): CrosswireError {
  const hint = 'like interfaces: [{ name: eth2, matches: [{ labelSelector: [{ via: gateway-1 }] }] }]';
  return new CrosswireError({ code, operation: 'reading the device selector file', subject, reason, hint });
}
