// SPDX-License-Identifier: Apache-2.0
// crosswire get wires, crosswire get devices

import type { Command } from 'commander';
import { addGetDevices } from './get-devices.ts';
import type { EndStatus, WireStatus } from '../wire/status.ts';
import { exitCodes } from './exit-codes.ts';
import { age, render, table } from './output.ts';
import { addClientOptions, type ClientOptions, type Verb, wirePath, withClient } from './verb.ts';

const examples = `
Examples:
  crosswire get wires
  crosswire get wires -o json | jq -r '.[] | select(.phase != "up") | .name'`;

export function addGet(program: Command, { terminal, finish }: Verb): void {
  const get = program.command('get').summary('list wires or devices').description('List what there is.');
  addGetDevices(get, { terminal, finish });
  const command = get
    .command('wires')
    .alias('wire')
    .description('List wires and how they are.')
    .argument('[names...]', 'only these')
    .addHelpText('after', examples);
  addClientOptions(command).action((names: string[], options: ClientOptions) =>
    finish(async () => {
      const wires = await withClient(options.control, terminal, async (client) => {
        if (names.length > 0) return Promise.all(names.map((name) => client.get<WireStatus>(wirePath(name))));
        return (await client.get<{ wires: WireStatus[] }>('/v1/wires')).wires;
      });
      terminal.out(render(options.output, wires, () => wireTable(wires)));
      return exitCodes.ok;
    }),
  );
}

function wireTable(wires: readonly WireStatus[]): string {
  if (wires.length === 0) return 'no wires; make some with: crosswire apply -f FILE\n';
  const now = Date.now();
  const head = ['NAME', 'PHASE', 'PATH', 'PAYLOAD', 'MTU', 'CLIENT', 'ENDPOINT', 'SERVICE', 'AGE'];
  const rows = wires.map(({ name, phase, path, mtu, spec, client, endpoint, createdAt }) => [
    name,
    phase,
    path,
    spec.payload,
    String(mtu),
    endText(client, spec.client.pod),
    endText(endpoint, spec.endpoint.pod),
    spec.networkService ?? '-',
    age(createdAt, now),
  ]);
  return table(head, rows);
}

function endText({ mechanism, up, interface: name, socket, peer }: EndStatus, pod: string | undefined): string {
  const where = name ?? socket ?? peer ?? '';
  return `${pod ? `${pod} ` : ''}${mechanism}:${where}${up ? '' : ' (down)'}`;
}
