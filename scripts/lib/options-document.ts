// SPDX-License-Identifier: Apache-2.0
// docs/options.md: the command line, and the environment of a mesh.

import { nsmOptionRows, runOptionNames, withoutEffect } from '../../src/config/nsm-options.ts';
import { runOptionRows } from '../../src/config/run-options.ts';
import { code, generated, table } from './markdown.ts';

export function options(): string {
  const rows = runOptionRows.map(({ flag, argument, environment, default: value, defaultInWords, meaning }) => [
    code(argument ? `${flag} ${argument}` : flag),
    code(environment),
    defaultInWords ?? code(value),
    meaning,
  ]);
  return (
    `${generated('src/config/run-options.ts')}# Options of \`crosswire run\`\n\n` +
    'The command line wins over the environment, which wins over the default. The other verbs take `--control`, or\n' +
    '`CROSSWIRE_CONTROL`, to find the daemon.\n\n' +
    table(['option', 'environment', 'default', 'meaning'], rows) +
    `\n## In a mesh: the environment of NSM's forwarders\n\n` +
    'Where `NSM_CONNECT_TO` is set, the daemon is a forwarder of Network Service Mesh besides.\n\n' +
    table(
      ['environment', 'default', 'meaning'],
      nsmOptionRows.map(({ environment, default: value, defaultInWords, meaning }) => [
        code(environment),
        defaultInWords ?? code(value),
        meaning,
      ]),
    ) +
    `\nOther names: ${runOptionNames
      .filter(({ withPrometheus }) => !withPrometheus)
      .map(inOtherWords)
      .join(', ')}; with \`PROMETHEUS=true\`,\n` +
    `${runOptionNames
      .filter(({ withPrometheus }) => withPrometheus)
      .map(inOtherWords)
      .join(', ')}.\n` +
    `Taken without effect: ${withoutEffect.map(code).join(', ')}.\n`
  );
}

function inOtherWords({ environment, option, default: value }: (typeof runOptionNames)[number]): string {
  return `${code(environment)} is ${code(option)}${value ? ` (${code(value)})` : ''}`;
}
