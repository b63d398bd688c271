// SPDX-License-Identifier: Apache-2.0
// crosswire endpoint kernel://SERVICE/INTERFACE

import type { Command } from 'commander';
import { readMeshOptions } from '../options/mesh-options.ts';
import { addMeshOptions, identityInWords, type MeshPrograms } from './mesh-command.ts';
import { printable } from './output.ts';
import type { Verb } from './verb.ts';

const examples = `
It serves until SIGTERM or SIGINT. The first connection gets the interface name as it is, those beside it the name and a
number; memif connections find a master at the abstract socket of that name. ${identityInWords}

Examples:
  crosswire endpoint kernel://web/web0 --netns /run/netns/server --cidr 172.16.1.0/24
  crosswire endpoint memif://firewall/fw --netns /run/netns/vpp --cidr 172.16.2.0/24 --payload ethernet`;

export function addEndpoint(program: Command, { terminal, finish }: Verb, endpoint: MeshPrograms['endpoint']): void {
  const command = program
    .command('endpoint')
    .summary('be an endpoint of NSM: serve a network service')
    .description('Serve a network service of Network Service Mesh from a namespace.')
    .argument('<url>', 'kernel://service/interface, memif://service/name or noop://service');
  addMeshOptions(command, 'endpoint')
    .addHelpText('after', examples)
    .action((url: string, given: Readonly<Record<string, string | string[]>>) =>
      finish(async () => {
        const options = readMeshOptions('endpoint', url, given, terminal.environment);
        const { name, service, cidr } = options;
        let told = false;
        return endpoint(
          options,
          () => {
            if (!told) terminal.out(`serving ${service} as ${name} from ${cidr}\n`);
            told = true;
          },
          (change, { path, interface: own, clientAddresses, endpointAddresses }) => {
            const addresses = `${endpointAddresses.join(', ')} ↔ ${clientAddresses.join(', ')}`;
            terminal.out(printable(`${change}: ${path[0] ?? ''} by ${own}, ${addresses}`) + '\n');
          },
        );
      }),
    );
}
