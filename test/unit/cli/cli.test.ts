// SPDX-License-Identifier: Apache-2.0
// The command line against a real control server over a fake manager: what it prints and how it exits.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { parse, stringify } from 'yaml';
import { exitCodes } from '../../../src/cli/exit-codes.ts';
import { runProgram } from '../../../src/cli/program.ts';
import type { RunFiles } from '../../../src/cli/run.ts';
import type { RunOptions } from '../../../src/options/run-options.ts';
import { toDocument } from '../../../src/wire/wire-document.ts';
import type { MachineReport } from '../../../src/model/machine.ts';
import type { Wire } from '../../../src/wire/wire.ts';
import { wire } from '../../fakes/wires.ts';
import { startControl } from '../../support/control.ts';

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface Surroundings {
  readonly environment?: Record<string, string>;
  readonly stdin?: string;
  readonly run?: (options: RunOptions, wires: readonly Wire[], files: RunFiles) => void;
  readonly report?: MachineReport;
  readonly cleanup?: (node: string, dryRun: boolean) => void;
}

async function crosswire(args: readonly string[], around: Surroundings = {}): Promise<Outcome> {
  let out = '';
  let err = '';
  const code = await runProgram(args, {
    version: '1.2.3',
    terminal: {
      out: (text) => (out += text),
      err: (text) => (err += text),
      stdin: async () => around.stdin ?? '',
      environment: around.environment ?? {},
    },
    run: async (options, files) => {
      around.run?.(options, files.wires, files);
      return exitCodes.ok;
    },
    mesh: {
      request: async () => exitCodes.ok,
      endpoint: async () => exitCodes.ok,
      manager: async () => exitCodes.ok,
    },
    doctor: async () => around.report ?? { fit: true, findings: [] },
    cleanup: async ({ node }, dryRun) => {
      around.cleanup?.(node, dryRun);
      const thing = {
        kind: 'interface',
        name: 'nsm-1',
        place: '/run/netns/a',
        mark: `crosswire/${node}/w/client`,
      } as const;
      return { node, dryRun, things: [thing], errors: [] };
    },
  });
  return { code, out, err };
}

function directory(t: ExecutionContext): string {
  const made = mkdtempSync(join(tmpdir(), 'crosswire-cli-'));
  t.teardown(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

const textOf = (...wires: readonly Wire[]) => wires.map((one) => stringify(toDocument(one))).join('---\n');

async function start(t: ExecutionContext) {
  const control = await startControl(t);
  const environment = { CROSSWIRE_CONTROL: control.path };
  const run = (args: string, stdin?: string) =>
    crosswire(args.split(' '), { environment, ...(stdin === undefined ? {} : { stdin }) });
  return { ...control, run };
}

test('apply says what became of each wire, and does nothing the second time', async (t) => {
  const { run } = await start(t);
  const first = await run('apply -f -', textOf(wire('b'), wire('a')));
  t.is(first.code, exitCodes.ok);
  t.is(first.out, 'WIRE  RESULT   ACTIONS\nb     created  1\na     created  1\n');
  const again = await run('apply -f - -o json', textOf(wire('b'), wire('a', { mtu: 1400 })));
  t.deepEqual(
    (JSON.parse(again.out) as { name: string; outcome: string }[]).map(({ name, outcome }) => [name, outcome]),
    [
      ['b', 'unchanged'],
      ['a', 'changed'],
    ],
  );
});

test('apply --dry-run changes nothing and lists the actions', async (t) => {
  const { run, manager } = await start(t);
  const { code, out } = await run('apply -f - --dry-run', textOf(wire('a')));
  t.is(code, exitCodes.ok);
  t.is(out, 'a would be created\n  1. create a veth pair\n');
  t.is(manager.wires.size, 0);
});

test('apply reads files and directories, and finds names used twice across them', async (t) => {
  const { run } = await start(t);
  const folder = directory(t);
  writeFileSync(join(folder, '1.yaml'), textOf(wire('one')));
  writeFileSync(join(folder, '2.json'), JSON.stringify(toDocument(wire('two'))));
  writeFileSync(join(folder, 'notes.txt'), 'not yaml: [');
  t.is((await run(`apply -f ${folder}`)).code, exitCodes.ok);
  writeFileSync(join(folder, '3.yml'), textOf(wire('one')));
  const { code, err } = await run(`apply -f ${folder}`);
  t.is(code, exitCodes.usage);
  t.regex(err, /^error DUPLICATE_NAME: reading a wire file \(.*3\.yml:4:3, metadata\.name\): .*1\.yaml:4\n$/);
});

test('apply with bad input prints every error, asks the daemon for nothing and exits 2', async (t) => {
  const { run, manager } = await start(t);
  const bad = textOf(wire('a')).replace('payload', 'paylaod').replace('kind: Wire', 'kind: Wyre');
  const { code, out, err } = await run('apply -f -', bad);
  t.is(code, exitCodes.usage);
  t.is(out, '');
  t.deepEqual(err.match(/^error \w+: reading a wire file \(standard input:\d+:\d+, [\w.]+\)/gm), [
    'error VALUE_INVALID: reading a wire file (standard input:2:7, kind)',
    'error KEY_UNKNOWN: reading a wire file (standard input:7:3, spec.paylaod)',
  ]);
  t.is(manager.wires.size, 0);
});

test('apply exits 1 when a wire fails, and says why', async (t) => {
  const { run } = await start(t);
  const { code, out, err } = await run('apply -f -', textOf(wire('broken'), wire('a')));
  t.is(code, exitCodes.failed);
  t.regex(out, /^broken +failed/m);
  t.is(
    err,
    'error NAMESPACE_MISSING: open the namespace (/run/netns/gone): No such file or directory; make it first\n',
  );
});

test('files that are missing or empty', async (t) => {
  const { run } = await start(t);
  t.like(await run('apply -f /nowhere/at/all.yaml'), { code: exitCodes.usage });
  t.regex((await run('apply -f /nowhere/at/all.yaml')).err, /^error FILE_UNREADABLE: /);
  const empty = await run('apply -f -', '# nothing\n');
  t.is(empty.code, exitCodes.usage);
  t.regex(empty.err, /^error NO_WIRES: /);
});

test('get lists wires for people and for programs', async (t) => {
  const { run, manager } = await start(t);
  t.regex((await run('get wires')).out, /^no wires/);
  t.deepEqual(JSON.parse((await run('get wires -o json')).out), []);
  await manager.set('api', [wire('web', { networkService: 'secure' })]);
  const { out } = await run('get wires');
  t.regex(
    out,
    /^NAME +PHASE +PATH +PAYLOAD +MTU +CLIENT +ENDPOINT +SERVICE +AGE\nweb +up +veth +ethernet +1500 +web-client kernel:c-web +/,
  );
  t.like(parse((await run('get wires -o yaml')).out), { 0: { name: 'web', phase: 'up' } });
  t.like(JSON.parse((await run('get wire web -o json')).out), { length: 1, 0: { name: 'web' } });
  t.is((await run('get wires web missing')).code, exitCodes.notFound);
});

test('describe joins state, counters and health', async (t) => {
  const { run, manager } = await start(t);
  await manager.set('api', [wire('web'), wire('broken')]);
  manager.records = [
    { code: 'FLAPS', severity: 'warning', text: 'up and down', wire: 'web', since: '2026-11-20T08:00:00.000Z' },
    { code: 'OTHER', severity: 'warning', text: 'x', wire: 'else', since: '2026-11-20T08:00:00.000Z' },
  ];
  const json = JSON.parse((await run('describe wire web -o json')).out) as object;
  t.like(json, { name: 'web', counters: { client: { rxBytes: '9007199254740993' } }, health: { length: 1 } });
  const { out } = await run('describe wire web');
  t.regex(out, /9007199254740993/);
  t.regex(out, /kernel_queue 4/);
  t.regex(out, /warning +FLAPS +up and down/);
  t.regex((await run('describe wire broken')).out, /^Counters: +none yet$/m);
  t.is((await run('describe wire missing')).code, exitCodes.notFound);
});

test('explain works on wires that exist and on files', async (t) => {
  const { run, manager } = await start(t);
  await manager.set('api', [wire('web')]);
  t.regex((await run('explain wire web')).out, /^Wire web takes the path veth\.\n[^]*everything is in place/);
  t.like(JSON.parse((await run('explain wire web -o json')).out), { name: 'web', pending: [] });
  t.regex((await run('explain wire -f -', textOf(wire('new')))).out, /Still to do:\n {2}- create a veth pair/);
  t.is((await run('explain wire missing')).code, exitCodes.notFound);
  t.is((await run('explain wire')).code, exitCodes.usage);
});

test('delete by name and by file', async (t) => {
  const { run, manager } = await start(t);
  await manager.set('api', [wire('a'), wire('b'), wire('c')]);
  t.like(await run('delete a'), { code: exitCodes.ok, out: 'WIRE  RESULT\na     removed\n' });
  t.is((await run('delete -f -', textOf(wire('b')))).code, exitCodes.ok);
  t.deepEqual([...manager.wires.keys()], ['c']);
  t.is((await run('delete a')).code, exitCodes.notFound);
  t.is((await run('delete a --ignore-missing')).code, exitCodes.ok);
  const stuck = await run('delete stuck c');
  t.is(stuck.code, exitCodes.failed);
  t.regex(stuck.err, /^error NAMESPACE_MISSING/);
  t.is(manager.wires.size, 0, 'the others are removed all the same');
  t.is((await run('delete')).code, exitCodes.usage);
});

test('a daemon that is not there', async (t) => {
  const { code, err } = await crosswire(['get', 'wires', '--control', '/nowhere/control.sock']);
  t.is(code, exitCodes.unreachable);
  t.regex(
    err,
    /^error DAEMON_UNREACHABLE: .*\(\/nowhere\/control\.sock\): there is no socket; is `crosswire run` running/,
  );
  const long = await crosswire(['get', 'wires', '--control', `/${'x'.repeat(107)}`]);
  t.is(long.code, exitCodes.usage);
});

test('a name cannot leave its place in the route', async (t) => {
  const { run } = await start(t);
  t.is((await run('describe wire ../status')).code, exitCodes.notFound);
  t.is((await run('describe wire a/counters')).code, exitCodes.notFound);
});

test('what comes from elsewhere cannot steer the terminal', async (t) => {
  const { run, manager } = await start(t);
  await manager.set('api', [wire('web')]);
  manager.records = [
    { code: 'X', severity: 'warning', text: 'red \u001b[31malert', wire: 'web', since: '2026-11-20T08:00:00.000Z' },
  ];
  t.false((await run('describe wire web')).out.includes('\u001b'));
});

test('run reads options and its wire files before it starts', async (t) => {
  const folder = directory(t);
  const file = join(folder, 'w.yaml');
  writeFileSync(file, textOf(wire('a')));
  let seen: { options: RunOptions; wires: readonly Wire[] } | undefined;
  const around = {
    environment: { CROSSWIRE_WORKERS: '3', CROSSWIRE_NODE: 'n1' },
    run: (options: RunOptions, wires: readonly Wire[]) => (seen = { options, wires }),
  };
  const args = ['run', '--state-dir', folder, '--wires', file, '--node', 'n2', '--remove-on-exit', '--metrics', 'off'];
  t.is((await crosswire(args, around)).code, exitCodes.ok);
  t.like(seen?.options, {
    stateDirectory: folder,
    workers: 3,
    node: 'n2',
    removeOnExit: true,
    metrics: null,
    wires: [file],
  });
  t.deepEqual(
    seen?.wires.map(({ name }) => name),
    ['a'],
  );

  seen = undefined;
  writeFileSync(file, 'kind: [');
  const bad = await crosswire(args, around);
  t.is(bad.code, exitCodes.usage);
  t.regex(bad.err, /^error YAML_BROKEN: .*w\.yaml:/);
  t.is(seen, undefined, 'nothing was started');
});

test('doctor exits 1 when something essential is missing, with advice', async (t) => {
  const report: MachineReport = {
    fit: false,
    findings: [{ check: 'CAP_NET_ADMIN', state: 'missing', found: 'not held', advice: 'run as root' }],
  };
  const { code, out } = await crosswire(['doctor'], { report });
  t.is(code, exitCodes.failed);
  t.regex(out, /CAP_NET_ADMIN +missing +not held/);
  t.regex(out, /What to do:\n {2}CAP_NET_ADMIN \(missing\): run as root/);
  t.deepEqual(JSON.parse((await crosswire(['doctor', '-o', 'json'], { report })).out), report);
  t.is((await crosswire(['doctor'])).code, exitCodes.ok);
});

test('help and usage', async (t) => {
  const help = await crosswire(['--help']);
  t.is(help.code, exitCodes.ok);
  for (const verb of ['run', 'apply', 'delete', 'get', 'describe', 'explain', 'doctor', 'Exit codes'])
    t.true(help.out.includes(verb));
  for (const verb of [
    ['run'],
    ['apply'],
    ['delete'],
    ['get', 'wires'],
    ['describe', 'wire'],
    ['explain', 'wire'],
    ['doctor'],
  ]) {
    const { code, out } = await crosswire([...verb, '--help']);
    t.is(code, exitCodes.ok);
    t.true(out.includes('Examples:'), verb.join(' '));
  }
  t.like(await crosswire(['--version']), { code: exitCodes.ok, out: '1.2.3\n' });
  const typo = await crosswire(['aply', '-f', 'x']);
  t.is(typo.code, exitCodes.usage);
  t.regex(typo.err, /Did you mean apply/);
  t.is((await crosswire(['apply'])).code, exitCodes.usage);
  t.is((await crosswire(['get', 'wires', '-o', 'xml'])).code, exitCodes.usage);
  t.is((await crosswire([])).code, exitCodes.usage);
});

test('run: the SR-IOV file is read before anything is touched', async (t) => {
  const file = join(directory(t), 'sriov.yaml');
  const args = ['run', '--sriov-config-file', file];
  const missing = await crosswire(args);
  t.is(missing.code, exitCodes.usage);
  t.regex(missing.err, /FILE_UNREADABLE: reading the SR-IOV file \(.*sriov\.yaml\): there is no such file/);
  writeFileSync(file, 'physicalFunctions:\n  eth0: {}\n');
  const wrong = await crosswire(args);
  t.is(wrong.code, exitCodes.usage);
  t.regex(wrong.err, /sriov\.yaml:2:3, physicalFunctions\.eth0\): 'eth0' is no PCI address/);
  writeFileSync(file, 'physicalFunctions: {}\n');
  const seen: (RunFiles | undefined)[] = [];
  await crosswire(args, { run: (_options, _wires, files) => seen.push(files) });
  await crosswire(['run'], { run: (_options, _wires, files) => seen.push(files) });
  t.deepEqual(
    seen.map((files) => files?.physicalFunctions),
    [[], undefined],
    'a file that allows nothing is not the same as none',
  );
});

test('cleanup says what it removes, and refuses while the daemon of the node runs', async (t) => {
  const { path } = await startControl(t);
  const cleaned: string[] = [];
  const run = (...args: string[]) =>
    crosswire(['cleanup', '--control', path, ...args], {
      cleanup: (node, dryRun) => cleaned.push(`${node} ${dryRun}`),
    });
  const other = await run('--node', 'another');
  t.is(other.code, exitCodes.ok);
  t.regex(other.out, /interface +nsm-1 +\/run\/netns\/a +crosswire\/another\/w\/client\n1 seen to, 0 errors/);
  const { code, err } = await run('--node', 'test');
  t.is(code, exitCodes.failed);
  t.regex(err, /DAEMON_RUNNING/);
  t.is((await run('--node', 'test', '--dry-run')).code, exitCodes.ok);
  t.deepEqual(cleaned, ['another false', 'test true']);
});
