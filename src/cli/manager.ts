// SPDX-License-Identifier: Apache-2.0
// crosswire manager

import type { Command } from 'commander';
import { readMeshOptions } from '../options/mesh-options.ts';
import { addMeshOptions, identityInWords, type MeshPrograms } from './mesh-command.ts';
import type { Verb } from './verb.ts';

const examples = `
For trying things, and for tests: one node, nothing is kept over a restart. A cluster has NSM's own nsmgr and registry.
${identityInWords}

Example:
  crosswire manager --listen unix:///run/demo/nsm.sock`;

export function addManager(program: Command, { terminal, finish }: Verb, manager: MeshPrograms['manager']): void {
  const command = program
    .command('manager')
    .summary("stand in for NSM's manager and registry, on one machine")
    .description(
      "Stand in for the manager and the registry of Network Service Mesh, on one machine without NSM's own.",
    );
  addMeshOptions(command, 'manager')
    .addHelpText('after', examples)
    .action((given: Readonly<Record<string, string | string[]>>) =>
      finish(async () => {
        const options = readMeshOptions('manager', undefined, given, terminal.environment);
        return manager(options, () => terminal.out(`serving at ${options.listenUrl}\n`));
      }),
    );
}
