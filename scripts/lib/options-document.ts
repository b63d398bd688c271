// SPDX-License-Identifier: Apache-2.0
// Makes docs/options.md: the command line of the daemon, the environment variables in a mesh, and the other programs of a mesh.

import { type MeshVerb, meshOptionRows } from '../../src/options/mesh-options.ts';
import { nsmOptionRows, withoutEffect } from '../../src/options/nsm-option-rows.ts';
import { runOptionNames } from '../../src/options/nsm-run-options.ts';
import { runOptionRows } from '../../src/options/run-options.ts';
import { code, generated, table } from './markdown.ts';

export function options(): string {
  const rows = runOptionRows.map(({ flag, argument, environment, default: value, defaultInWords, meaning }) => [
    code(argument ? `${flag} ${argument}` : flag),
    code(environment),
    defaultInWords ?? code(value),
    meaning,
  ]);
  return (
    `${generated('src/options/run-options.ts')}# Options of \`crosswire run\`\n\n` +
    'The command line wins over the environment, which wins over the default. The other verbs take `--control`, or\n' +
    '`CROSSWIRE_CONTROL`, to find the daemon.\n\n' +
    table(['option', 'environment', 'default', 'meaning'], rows) +
    `\n## In a mesh: the environment of NSM's forwarders\n\n` +
    'If `NSM_CONNECT_TO` is set, the daemon is also a forwarder of Network Service Mesh.\n\n' +
    table(
      ['environment', 'default', 'meaning'],
      nsmOptionRows.map(({ environment, default: value, defaultInWords, meaning }) => [
        code(environment),
        defaultInWords ?? code(value),
        meaning,
      ]),
    ) +
    `\nAliases: ${runOptionNames
      .filter(({ withPrometheus }) => !withPrometheus)
      .map(inOtherWords)
      .join(', ')}; with \`PROMETHEUS=true\`,\n` +
    `${runOptionNames
      .filter(({ withPrometheus }) => withPrometheus)
      .map(inOtherWords)
      .join(', ')}.\n` +
    `Accepted, but without effect: ${withoutEffect.map(code).join(', ')}.\n` +
    meshPrograms()
  );
}

function inOtherWords({ environment, option, default: value }: (typeof runOptionNames)[number]): string {
  return `${code(environment)} is ${code(option)}${value ? ` (${code(value)})` : ''}`;
}

const purposes: Readonly<Record<MeshVerb, string>> = {
  request: 'A client: requests a connection from any manager of NSM, prints it, keeps it and closes it at SIGTERM.',
  endpoint: 'An endpoint: serves a network service from a namespace, point to point, to kernel or memif clients.',
  manager: "A stand-in for NSM's manager and registry on one machine, for trying things and for tests.",
};

function meshPrograms(): string {
  const sections = Object.entries(purposes).map(([verb, purpose]) => {
    const rows = meshOptionRows
      .filter(({ verbs }) => verbs.includes(verb as MeshVerb))
      .map(({ flag, argument, environment, default: value, defaultInWords, meaning }) => [
        code(`${flag} ${argument}`),
        environment ? code(environment) : '',
        defaultInWords ?? (value === undefined ? 'must be given' : code(value)),
        meaning,
      ]);
    const head = ['option', 'environment', 'default', 'meaning'];
    return `\n## \`crosswire ${verb}\`\n\n${purpose}\n\n${table(head, rows)}`;
  });
  return `${sections.join('')}\nTheir identity comes from \`SPIFFE_ENDPOINT_SOCKET\` or \`CROSSWIRE_TLS_*\`, like the daemon's.\n`;
}
