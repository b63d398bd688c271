// SPDX-License-Identifier: Apache-2.0
// The package as a stranger gets it: packed, and installed into an empty project with nothing on PATH but Node and a shell.

import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from './requires.ts';

const execute = promisify(execFile);
const programs = ['sh', 'dirname', 'readlink']; // those of bin/crosswire

export class InstalledPackage {
  readonly directory: string;
  readonly project: string;
  readonly #path: string;

  private constructor(directory: string) {
    this.directory = directory;
    this.project = join(directory, 'project');
    this.#path = join(directory, 'bin');
  }

  static async make(): Promise<InstalledPackage> {
    const made = new InstalledPackage(await mkdtemp(join(tmpdir(), 'crosswire-package-')));
    await mkdir(made.#path);
    await mkdir(made.project);
    await symlink(process.execPath, join(made.#path, 'node'));
    for (const program of programs) await symlink(findProgram(program)!, join(made.#path, program));
    const npm = await realpath(findProgram('npm')!);
    const packed = await execute(process.execPath, [npm, 'pack', '--json', '--pack-destination', made.directory]);
    const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }];
    await writeFile(join(made.project, 'package.json'), '{ "type": "module", "private": true }\n');
    await made.run(npm, 'install', '--no-audit', '--no-fund', '--prefer-offline', join(made.directory, filename));
    await cp('examples', join(made.project, 'examples'), { recursive: true });
    return made;
  }

  get environment(): NodeJS.ProcessEnv {
    return { ...process.env, PATH: this.#path };
  }

  /** Node with these arguments, in the project. */
  async run(...args: string[]): Promise<string> {
    const { stdout } = await execute(process.execPath, args, { cwd: this.project, env: this.environment });
    return stdout;
  }

  /** A program of the package, as npm linked it. */
  async command(name: string, ...args: string[]): Promise<string> {
    const program = join(this.project, 'node_modules/.bin', name);
    const { stdout } = await execute(program, args, { cwd: this.project, env: this.environment });
    return stdout;
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}
