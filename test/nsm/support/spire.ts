// SPDX-License-Identifier: Apache-2.0
// SPIRE itself: a server and an agent beside it, in one namespace.
//   spire-server ── TCP, in the namespace ── spire-agent ── unix socket ── every program of the mesh
// All programs run as root and several share one file, so SPIRE's agent knows each by a supplementary group of its own.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Identity } from '../../../src/spiffe/identity.ts';
import { identityOf } from '../../../src/spiffe/sources/svid.ts';
import type { Namespace } from '../../support/namespace.ts';
import { findProgram } from '../../support/requires.ts';
import { Background, run } from '../../support/shell.ts';
import type { MeshAuthority, ProgramIdentity } from './mesh-authority.ts';
import { agentSettings, serverSettings } from './spire-settings.ts';

const trustDomain = 'spiffe://test.nsm';
const firstGroup = 700_000;

/** Seconds, by name of the program; an hour by default. */
type SvidSeconds = Readonly<Record<string, number>>;

export class Spire implements MeshAuthority {
  bundle = '';
  server!: Background;
  agent!: Background;
  readonly #directory: string;
  readonly #where: Namespace;
  readonly #svidSeconds: SvidSeconds;
  readonly #groups = new Map<string, number>();
  readonly #registered = new Set<string>();

  private constructor(directory: string, where: Namespace, svidSeconds: SvidSeconds) {
    this.#directory = directory;
    this.#where = where;
    this.#svidSeconds = svidSeconds;
  }

  static isBuilt(): boolean {
    return findProgram('spire-server') !== undefined && findProgram('spire-agent') !== undefined;
  }

  /** Nothing is left when it rejects. */
  static async start(directory: string, where: Namespace, svidSeconds: SvidSeconds = {}): Promise<Spire> {
    const spire = new Spire(directory, where, svidSeconds);
    try {
      await spire.#start();
    } catch (error) {
      await spire.close();
      throw error;
    }
    return spire;
  }

  /** Minted by the server: the agent serves only processes that it sees. */
  async issue(name: string): Promise<Identity> {
    const folder = join(this.#directory, `minted-${name}`);
    await mkdir(folder, { recursive: true });
    await this.#ask('x509', 'mint', '-spiffeID', `${trustDomain}/${name}`, '-ttl', '1h', '-write', folder);
    const read = (file: string) => readFile(join(folder, file), 'utf8');
    return identityOf({
      source: folder,
      certificates: await read('svid.pem'),
      privateKey: await read('key.pem'),
      bundle: await read('bundle.pem'),
      federatedBundles: new Map(),
    });
  }

  /** Resolves when registered. */
  async program(name: string): Promise<ProgramIdentity> {
    const program = this.unregistered(name);
    await this.register(name);
    return program;
  }

  /** A program without an entry in SPIRE until `register`. */
  unregistered(name: string): ProgramIdentity {
    const group = this.#groups.get(name) ?? firstGroup + this.#groups.size;
    this.#groups.set(name, group);
    return {
      environment: { SPIFFE_ENDPOINT_SOCKET: `unix://${this.#socket('agent')}` },
      wrap: ['setpriv', '--groups', String(group)],
    };
  }

  /** Resolves when the agent knows the entry. */
  async register(name: string, ...federatesWith: readonly string[]): Promise<void> {
    if (this.#registered.has(name)) return;
    this.#registered.add(name);
    const entry = ['-parentID', `${trustDomain}/agent`, '-spiffeID', `${trustDomain}/${name}`];
    const lifetime = ['-x509SVIDTTL', String(this.#svidSeconds[name] ?? 3600)];
    const selector = ['-selector', `unix:supplementary_gid:${this.#groups.get(name)}`];
    const federated = federatesWith.flatMap((domain) => ['-federatesWith', `spiffe://${domain}`]);
    await this.#ask('entry', 'create', ...entry, ...lifetime, ...selector, ...federated);
    await this.agent.says(new RegExp(`"SVID updated".*"${trustDomain}/${name}"`));
  }

  /** Afterwards programs may be registered as federating with that trust domain. */
  async trust(domain: string, bundle: string): Promise<void> {
    const file = join(this.#directory, `${domain}.pem`);
    await writeFile(file, bundle);
    await this.#ask('bundle', 'set', '-id', `spiffe://${domain}`, '-path', file);
  }

  /** Attested with this token; without one, as the agent that it was before. */
  async startAgent(joinToken?: string): Promise<void> {
    const token = joinToken === undefined ? [] : ['-joinToken', joinToken];
    this.agent = this.#launch('agent', ...token);
    await this.agent.says('Starting Workload and SDS APIs');
  }

  async close(): Promise<void> {
    await this.agent?.stop('SIGKILL');
    await this.server?.stop('SIGKILL');
  }

  async #start(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    const bundle = join(this.#directory, 'bundle.pem');
    const common = { directory: this.#directory, bundle };
    await writeFile(this.#settings('server'), serverSettings({ ...common, socket: this.#socket('server') }));
    await writeFile(this.#settings('agent'), agentSettings({ ...common, socket: this.#socket('agent') }));
    this.server = this.#launch('server');
    await this.server.says(/Starting Server APIs.*network=tcp/);
    await this.server.says(/Starting Server APIs.*network=unix/);
    this.bundle = await this.#ask('bundle', 'show');
    await writeFile(bundle, this.bundle);
    const answer = await this.#ask('token', 'generate', '-spiffeID', `${trustDomain}/agent`, '-output', 'json');
    await this.startAgent((JSON.parse(answer) as { value: string }).value);
  }

  #launch(what: 'server' | 'agent', ...options: string[]): Background {
    const [program, args] = this.#where.inside(path(what), 'run', '-config', this.#settings(what), ...options);
    return new Background(program, args, { env: { PATH: process.env['PATH'] ?? '' } });
  }

  #ask(...command: string[]): Promise<string> {
    const [verb, noun, ...options] = command as [string, string, ...string[]];
    return run(path('server'), verb, noun, '-socketPath', this.#socket('server'), ...options);
  }

  #settings(what: string): string {
    return join(this.#directory, `${what}.conf`);
  }

  #socket(what: string): string {
    return join(this.#directory, `${what}.sock`);
  }
}

function path(what: 'server' | 'agent'): string {
  const found = findProgram(`spire-${what}`);
  if (found === undefined) throw new Error(`spire-${what} is missing`);
  return found;
}
