// SPDX-License-Identifier: Apache-2.0
// crosswire describe wire NAME…

import type { Command } from 'commander';
import type { EndName } from '../model/wire.ts';
import { kindOf } from '../wire/mechanisms/index.ts';
import type { Row } from '../wire/mechanisms/mechanism.ts';
import type { HealthRecord, WireOwner } from '../model/status.ts';
import type { EndStatus, WireStatus } from '../wire/status.ts';
import type { ControlClient } from './control-client.ts';
import { exitCodes } from './exit-codes.ts';
import { age, printable, render, table } from './output.ts';
import { addClientOptions, type ClientOptions, type Verb, wirePath, withClient } from './verb.ts';

/** Counters as the control API sends them: decimal digits, because they may exceed 2^53. */
interface CounterTexts {
  readonly rxPackets: string;
  readonly rxBytes: string;
  readonly txPackets: string;
  readonly txBytes: string;
  readonly rxErrors: string;
  readonly txErrors: string;
  readonly drops: Readonly<Record<string, string>>;
}

export interface WireDescription extends WireStatus {
  readonly counters: Readonly<Record<EndName, CounterTexts>> | null; // a wire that was never made has none
  readonly health: readonly HealthRecord[];
}

const examples = `
rx are frames that entered the wire from that end, tx are frames that left it to that end. The frames received at one
end are those delivered to the other and those dropped, by reason.

Examples:
  crosswire describe wire web-to-fw
  crosswire describe wire web-to-fw -o json | jq .counters.client.drops`;

export function addDescribe(program: Command, { terminal, finish }: Verb): void {
  const describe = program.command('describe').summary('show a wire in full').description('Show all that is known.');
  const command = describe
    .command('wire')
    .alias('wires')
    .description('Show a wire: its ends, counters and health.')
    .argument('<names...>', 'names of wires')
    .addHelpText('after', examples);
  addClientOptions(command).action((names: string[], options: ClientOptions) =>
    finish(async () => {
      const described = await withClient(options.control, terminal, (client) =>
        Promise.all(names.map((name) => describeWire(client, name))),
      );
      const value = described.length === 1 ? described[0] : described;
      terminal.out(render(options.output, value, () => described.map(inWords).join('\n')));
      return exitCodes.ok;
    }),
  );
}

async function describeWire(client: ControlClient, name: string): Promise<WireDescription> {
  const status = await client.get<WireStatus>(wirePath(name));
  const [counters, { records }] = await Promise.all([
    client.get<WireDescription['counters']>(`${wirePath(name)}/counters`).catch(() => null),
    client.get<{ records: HealthRecord[] }>('/v1/health'),
  ]);
  return { ...status, counters, health: records.filter(({ wire }) => wire === name) };
}

const ownersInWords: Readonly<Record<WireOwner, string>> = {
  files: 'files of --wires',
  api: 'control API',
  nsm: 'Network Service Mesh',
};

function inWords(wire: WireDescription): string {
  const { spec, error } = wire;
  const labels = Object.entries(spec.labels).map(([key, value]) => `${key}=${value}`);
  const lines = [
    ['Name:', wire.name],
    ['Labels:', labels.join(', ') || '-'],
    ['Network service:', spec.networkService ?? '-'],
    ['Phase:', wire.phase],
    ['Owner:', ownersInWords[wire.owner]],
    ['Path:', wire.path],
    ['Payload:', spec.payload],
    ['MTU:', String(wire.mtu)],
    ['Age:', age(wire.createdAt, Date.now())],
    ...(error ? [['Error:', `${error.code}: ${error.operation} (${error.subject}): ${error.reason}`]] : []),
  ] as [string, string][];
  const ends = (['client', 'endpoint'] as const).map((end) => endInWords(wire, end));
  return `${pairs(lines, '')}${ends.join('')}${countersInWords(wire)}${healthInWords(wire.health)}`;
}

function endInWords(wire: WireDescription, end: EndName): string {
  const status: EndStatus = wire[end];
  const { pod, namespace, mechanism } = wire.spec[end];
  const own = kindOf(mechanism).describe(mechanism);
  const optional: Row[] = [
    ['Pod:', pod && (namespace ? `${namespace}/${pod}` : pod)],
    ['Interface:', status.interface],
    ['Network namespace:', status.netns],
    ['MAC:', status.mac],
    ...(own.addresses ?? []),
    ['Socket:', status.socket],
    ...(own.role ?? []),
    ['Peer:', status.peer],
    ...(own.beyond ?? []),
    ['Rings:', status.rings && `${status.rings} of ${status.ringSize ?? '?'} descriptors`],
    ['Sessions so far:', status.sessions],
  ];
  const given = optional
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([key, value]) => [key, String(value)]);
  const state = `${status.up ? 'up' : 'down'}${status.detail ? `, ${status.detail}` : ''}`;
  const title = end === 'client' ? 'Client:' : 'Endpoint:';
  return `${title}\n${pairs([['Mechanism:', status.mechanism], ['State:', state], ...given] as [string, string][], '  ')}`;
}

function countersInWords({ counters }: WireDescription): string {
  if (counters === null) return 'Counters:             none yet\n';
  const rows = (['client', 'endpoint'] as const).map((end) => {
    const { rxPackets, rxBytes, txPackets, txBytes, rxErrors, txErrors, drops } = counters[end];
    const dropped = Object.entries(drops).filter(([, count]) => count !== '0');
    const words = dropped.map(([reason, count]) => `${reason} ${count}`).join(', ') || '0';
    return [end, rxPackets, rxBytes, txPackets, txBytes, `${rxErrors}/${txErrors}`, words];
  });
  const head = ['END', 'RX FRAMES', 'RX BYTES', 'TX FRAMES', 'TX BYTES', 'ERRORS RX/TX', 'DROPPED'];
  return `Counters:\n${indent(table(head, rows))}`;
}

function healthInWords(records: readonly HealthRecord[]): string {
  if (records.length === 0) return 'Health:               nothing to report\n';
  const rows = records.map(({ severity, code, text, since }) => [severity, code, text, since]);
  return `Health:\n${indent(table(['SEVERITY', 'CODE', 'TEXT', 'SINCE'], rows))}`;
}

const pairs = (lines: readonly [string, string][], before: string): string =>
  lines.map(([key, value]) => `${before}${key.padEnd(22 - before.length)}${printable(value)}\n`).join('');

const indent = (text: string): string => text.replace(/^(?=.)/gm, '  ');
