// SPDX-License-Identifier: Apache-2.0
// crosswire request kernel://SERVICE/INTERFACE

import type { Command } from 'commander';
import { readMeshOptions } from '../options/mesh-options.ts';
import type { ConnectionReport } from '../model/connection-report.ts';
import { addMeshOptions, identityInWords, type MeshPrograms } from './mesh-command.ts';
import { type Format, outputOption, printable, render } from './output.ts';
import type { Verb } from './verb.ts';

const examples = `
It keeps the connection until SIGTERM or SIGINT, then closes it. ${identityInWords}

Examples:
  crosswire request kernel://web/nsm-1 --netns /run/netns/client
  crosswire request memif://firewall/m1 --netns /proc/4711/ns/net --label app=shop -o json`;

type Given = Readonly<Record<string, string | string[]>> & { readonly output: Format };

export function addRequest(program: Command, { terminal, finish }: Verb, request: MeshPrograms['request']): void {
  const command = program
    .command('request')
    .summary('be a client of NSM: ask for a connection and keep it')
    .description('Ask a manager of Network Service Mesh for a connection, and keep it.')
    .argument('<url>', 'kernel://service/interface[?label=value] or memif://service/name');
  addMeshOptions(command, 'request')
    .addOption(outputOption())
    .addHelpText('after', examples)
    .action((url: string, { output, ...given }: Given) =>
      finish(async () => {
        const options = readMeshOptions('request', url, given, terminal.environment);
        return request(options, (report) => terminal.out(render(output, report, () => inWords(report))));
      }),
    );
}

function inWords(report: ConnectionReport): string {
  const { networkService, endpoint, payload, mechanism, mtu, clientAddresses, endpointAddresses, path, socket } =
    report;
  const rows = [
    ['connected to', `${networkService}, endpoint ${endpoint}, payload ${payload}`],
    ['by', `${mechanism} ${socket ?? report.interface}, MTU ${mtu}`],
    ['addresses', clientAddresses.join(', ') || 'none'],
    ['other side', endpointAddresses.join(', ') || 'none'],
    ['path', path.join(' → ')],
    ['id', report.id],
  ] as const;
  return rows.map(([title, text]) => `${title.padEnd(14)}${printable(text)}\n`).join('');
}
