// SPDX-License-Identifier: Apache-2.0
// The rival VPP, which cross-connects two memifs for each wire; found on PATH or below --vpp DIR.

import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { machine, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Absent } from '../harness/measure.ts';
import { Measured } from '../harness/process.ts';
import { findProgram } from '../harness/programs.ts';
import { Hopeless, until } from '../harness/until.ts';
import type { MemifForwarder, MemifOptions } from './memif.ts';

interface Installation {
  readonly program: string;
  /** The directory of its libraries and plugins, if it was unpacked instead of installed. */
  readonly libraries?: string;
  readonly plugins?: string;
}

export function findVpp(directory: string | undefined): Installation {
  if (directory === undefined) {
    const program = findProgram('vpp');
    if (program === undefined) throw new Absent('there is no vpp on PATH, and no --vpp DIR');
    return { program };
  }
  const first = (...paths: readonly string[]) => paths.map((path) => resolve(directory, path)).find(existsSync);
  const program = first('usr/bin/vpp', 'bin/vpp', 'vpp');
  if (program === undefined) throw new Absent(`there is no vpp below ${directory}`);
  const folders = ['usr/lib', 'lib'].flatMap((lib) => [`${lib}/${machine()}-linux-gnu`, `${lib}64`, lib]);
  const libraries = first(...folders.filter((folder) => existsSync(resolve(directory, folder, 'vpp_plugins'))));
  return libraries === undefined ? { program } : { program, libraries, plugins: join(libraries, 'vpp_plugins') };
}

export async function startVppMemif(
  { cpu, wires }: MemifOptions,
  directory: string | undefined,
): Promise<MemifForwarder> {
  const { program, libraries, plugins } = findVpp(directory);
  const home = await mkdtemp(join(tmpdir(), 'crosswire-vpp-'));
  const socket = join(home, 'memif.sock');
  const commands = [`create memif socket id 1 filename ${socket}`];
  for (let i = 0; i < 2 * wires; i++)
    commands.push(`create interface memif id ${i} socket-id 1 master`, `set interface state memif1/${i} up`);
  for (let i = 0; i < wires; i++)
    commands.push(
      `set interface l2 xconnect memif1/${2 * i} memif1/${2 * i + 1}`,
      `set interface l2 xconnect memif1/${2 * i + 1} memif1/${2 * i}`,
    );
  await writeFile(join(home, 'commands'), `${commands.join('\n')}\n`);
  const configuration = `unix { nodaemon runtime-dir ${home} cli-listen ${home}/cli.sock exec ${home}/commands log ${home}/log }
cpu { main-core ${cpu} } buffers { buffers-per-numa 16384 page-size default default data-size 2048 }
plugins { ${plugins ? `path ${plugins}` : ''} plugin default { disable } plugin memif_plugin.so { enable } }
`;
  await writeFile(join(home, 'startup.conf'), configuration);
  const vpp = new Measured('vpp', 'env', [
    ...(libraries === undefined ? [] : [`LD_LIBRARY_PATH=${libraries}`]),
    program,
    '-c',
    join(home, 'startup.conf'),
  ]);
  const stop = async () => {
    await vpp.stop();
    await rm(home, { recursive: true, force: true });
  };
  try {
    await until('vpp listens', async () => {
      if (vpp.ended) throw new Hopeless(vpp.output.slice(-400));
      return existsSync(socket);
    });
  } catch (error) {
    await stop();
    // A VPP that does not run here is skipped with its message, so that testpmd's figures are not lost.
    throw new Absent(`vpp did not start: ${error instanceof Error ? error.message : String(error)}`);
  }
  return {
    name: 'vpp',
    process: vpp,
    countsCycles: false,
    pairs: Array.from({ length: wires }, (_, i) => [
      { socket, id: 2 * i },
      { socket, id: 2 * i + 1 },
    ]),
    figures: async () => ({}),
    stop,
  };
}
