// SPDX-License-Identifier: Apache-2.0
// A stranger installs the package with npm, has no compiler, and runs the examples of docs/library.md.

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import test from 'ava';
import { InstalledPackage } from '../support/installed-package.ts';
import { Namespace } from '../support/namespace.ts';
import { testWith } from '../support/requires.ts';
import { Background, run } from '../support/shell.ts';

let installed: InstalledPackage;
const namespaces: Namespace[] = [];
const running: Background[] = [];

test.before(async () => {
  installed = await InstalledPackage.make();
});
test.afterEach.always(async () => {
  for (const program of running.splice(0)) await program.stop();
  for (const namespace of namespaces.splice(0)) await namespace.remove();
});
test.after.always(() => installed?.remove());

async function namespace(label: string): Promise<Namespace> {
  const made = await Namespace.make(label);
  namespaces.push(made);
  return made;
}

/** An example of docs/library.md, in a namespace, until it says that it is ready. */
async function start(where: Namespace, example: string, args: readonly string[], ready: string): Promise<Background> {
  const [program, all] = where.inside(process.execPath, join(installed.project, 'examples', example), ...args);
  const started = new Background(program, all, { cwd: installed.project });
  running.push(started);
  await started.says(ready);
  return started;
}

testWith(['prebuilds'], 'the package brings its addon, no Node, and nothing to compile', async (t) => {
  const script = `
    import { Dataplane } from 'crosswire';
    import { readFileSync } from 'node:fs';
    await new Dataplane().probe();
    console.log(readFileSync('/proc/self/maps', 'utf8').match(/\\S*crosswire\\.node/)[0]);`;
  const addon = (await installed.run('--input-type=module', '--eval', script)).trim();
  t.is(addon, join(installed.project, 'node_modules/crosswire/prebuilds', `linux-${process.arch}`, 'crosswire.node'));
  t.deepEqual(
    (await readdir(join(installed.project, 'node_modules'))).filter((name) => name.startsWith('node-')),
    [],
  );
  t.deepEqual((await readdir(join(installed.project, 'node_modules/crosswire'))).toSorted(), [
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'bin',
    'dist',
    'docs',
    'examples',
    'package.json',
    'prebuilds',
  ]);
});

testWith(['prebuilds'], 'a machine for which there is no addon is told which there are', async (t) => {
  const script = `
    import { Dataplane } from 'crosswire';
    Object.defineProperty(process, 'arch', { value: 'other' });
    const error = await new Dataplane().probe().catch((caught) => caught);
    console.log(error.code, error.hint);`;
  const brought = (await readdir('prebuilds')).toSorted().join(', ');
  t.is(
    await installed.run('--input-type=module', '--eval', script),
    `ADDON_MISSING this package brings addons for ${brought}; for another machine build one from a checkout\n`,
  );
});

testWith(['prebuilds'], 'the command of the package runs', async (t) => {
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
  t.true((await installed.command('crosswire', '--version')).includes(version));
});

testWith(['prebuilds'], 'the declarations of the package satisfy a strict compiler', async (t) => {
  const source = `import { CrosswireError, Dataplane, type DropReason } from 'crosswire';
    const dataplane: Dataplane = new Dataplane();
    const counters: bigint | undefined = dataplane.readCounters(1).words[0];
    export const all: [bigint | undefined, DropReason, string] = [counters, 'tx_full', new CrosswireError({ code: '', operation: '', subject: '', reason: '' }).code];
    // @ts-expect-error: the declarations are there, so that a mistake is seen
    await dataplane.stopWire('first');`;
  await writeFile(join(installed.project, 'consumer.ts'), source);
  await writeFile(
    join(installed.project, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: { strict: true, noEmit: true, module: 'nodenext', target: 'es2024', types: [] },
      files: ['consumer.ts'],
    }),
  );
  await t.notThrowsAsync(run(resolve('node_modules/.bin/tsc'), '-p', installed.project));
});

testWith(['prebuilds'], 'examples/counters.js prints two connected wires', async (t) => {
  const output = await installed.run('examples/counters.js');
  t.is(output, ['server', 'client'].map((name) => `${name}: up, ring of 256, 0 frames of 0 bytes received\n`).join(''));
});

testWith(
  ['prebuilds', 'root', 'tun', 'ping'],
  'examples/memif-echo.js answers pings of examples/memif-interface.js',
  async (t) => {
    const [server, client] = [await namespace('echo'), await namespace('ping')];
    const socket = join(installed.directory, 'echo.sock');
    await start(server, 'memif-echo.js', [socket, '10.99.0.1/24'], 'answering');
    await start(client, 'memif-interface.js', [client.path, socket, '10.99.0.2/24'], 'connected');
    t.regex(await client.run('ping', '-c', '3', '-i', '0.2', '10.99.0.1'), /3 received, 0% packet loss/);

    for (const program of running.splice(0)) await program.stop();
    t.deepEqual([await server.interfaces(), await client.interfaces()], [[], []], 'both clean up');
  },
);

test('docs/library.md shows examples/memif-echo.js as it is, in at most 30 lines', async (t) => {
  const [document, example] = [
    await readFile('docs/library.md', 'utf8'),
    await readFile('examples/memif-echo.js', 'utf8'),
  ];
  t.true(document.includes(`\`\`\`js\n${example}\`\`\``));
  t.true(example.split('\n').length - 1 <= 30);
});
