// SPDX-License-Identifier: Apache-2.0
// What a release consists of: a CycloneDX bill of materials and a list of licences, the same bytes for the same commit.
//   node scripts/sbom.ts DIRECTORY [SECONDS]      SECONDS: the time in the bill, since 1970 (default: the commit's)

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Licence {
  readonly license?: { readonly id?: string; readonly name?: string };
  readonly expression?: string;
}
interface Component {
  readonly 'bom-ref': string;
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly purl?: string;
  readonly licenses?: readonly Licence[];
}
interface Bill {
  serialNumber: string;
  metadata: { timestamp: string; component: Component };
  components: Component[];
  dependencies: { ref: string; dependsOn?: string[] }[];
}

const [directory, seconds = execFileSync('git', ['log', '-1', '--format=%ct'], { encoding: 'utf8' })] =
  process.argv.slice(2);
if (directory === undefined) throw new Error('usage: node scripts/sbom.ts DIRECTORY [SECONDS]');

const bill = billOfNpm();
leaveOutTheWorkspace(bill);
addWhatIsLinkedIn(bill);
settle(bill);
const { version } = bill.metadata.component;
writeFileSync(join(directory, `crosswire-${version}.cdx.json`), `${JSON.stringify(bill, null, 2)}\n`);
writeFileSync(join(directory, 'licences.txt'), bill.components.map(licenceLine).join(''));

function billOfNpm(): Bill {
  const command = ['sbom', '--sbom-format=cyclonedx', '--omit=dev', '--package-lock-only', '--loglevel=error'];
  const made = JSON.parse(execFileSync('npm', command, { encoding: 'utf8', maxBuffer: 64 << 20 })) as Bill;
  // npm calls it by the name of the folder.
  return { ...made, metadata: { ...made.metadata, component: { ...made.metadata.component, name: 'crosswire' } } };
}

/** scripts/lib/node only chooses the package of Node that an image carries; that package is a component itself. */
function leaveOutTheWorkspace(all: Bill): void {
  const workspace = (reference: string) => reference.startsWith('crosswire-node@');
  all.components = all.components.filter((component) => !workspace(component['bom-ref']));
  all.dependencies = all.dependencies
    .filter(({ ref }) => !workspace(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => !workspace(other)).toSorted() }));
}

/** The addons of scripts/prebuild carry parts of LLVM that Zig brings, and the inline functions of node-addon-api. */
function addWhatIsLinkedIn(all: Bill): void {
  const zig = /^ziglang==(\S+)/m.exec(readFileSync('scripts/lib/zig.txt', 'utf8'))?.[1] as string;
  for (const name of ['libc++', 'libc++abi', 'libunwind', 'compiler-rt'])
    all.components.push({
      'bom-ref': `${name}@zig-${zig}`,
      type: 'library',
      name,
      version: `zig-${zig}`,
      description: 'Part of LLVM as this version of Zig brings it, linked into the addon',
      licenses: [{ expression: 'Apache-2.0 WITH LLVM-exception' }],
    });
  const api = JSON.parse(readFileSync('node_modules/node-addon-api/package.json', 'utf8')) as Component;
  all.components.push({
    'bom-ref': `node-addon-api@${api.version}`,
    type: 'library',
    name: 'node-addon-api',
    version: api.version,
    purl: `pkg:npm/node-addon-api@${api.version}`,
    licenses: [{ license: { id: 'MIT' } }],
  });
}

/** npm gives each bill a random number and the time of day. */
function settle(all: Bill): void {
  const sorted = <T>(list: readonly T[], key: (item: T) => string) =>
    list.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
  all.components = sorted(all.components, (component) => component['bom-ref']);
  all.dependencies = sorted(all.dependencies, ({ ref }) => ref);
  all.metadata.timestamp = new Date(Number(seconds) * 1000).toISOString();
  const digest = createHash('sha256')
    .update(JSON.stringify({ ...all, serialNumber: '' }))
    .digest('hex');
  // RFC 9562, version 8: bits of one's own choice.
  const parts = [digest.slice(0, 8), digest.slice(8, 12), `8${digest.slice(13, 16)}`, `8${digest.slice(17, 20)}`];
  all.serialNumber = `urn:uuid:${[...parts, digest.slice(20, 32)].join('-')}`;
}

function licenceLine({ name, version, licenses = [] }: Component): string {
  const words = licenses.map(({ expression, license }) => expression ?? license?.id ?? license?.name);
  if (words.length === 0) throw new Error(`${name} ${version} states no licence: read it, and say here what it is`);
  return `${name} ${version}: ${words.join(' AND ')}\n`;
}
