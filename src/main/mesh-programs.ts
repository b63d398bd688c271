// SPDX-License-Identifier: Apache-2.0
// The other programs of a mesh: a client, an endpoint, and a manager for a mesh on one machine.

import type { EndpointOptions, ManagerOptions, ProgramOptions, RequestOptions } from '../options/mesh-options.ts';
import { type ExitCode, exitCodes } from '../cli/exit-codes.ts';
import { NativeUnixSockets } from '../dataplane/unix-sockets.ts';
import { startPings } from '../machine/pings.ts';
import type { ConnectionReport } from '../model/connection-report.ts';
import { Client } from '../mesh/client/client.ts';
import { reportOf } from '../mesh/client/report.ts';
import { Endpoint } from '../mesh/endpoint/endpoint.ts';
import { LocalManager } from '../mesh/manager/manager.ts';
import { MeshProgram } from '../mesh/program.ts';
import { identitySource } from './mesh.ts';
import { changeLevelBySignal, longestStop, makeLog, type Releases, releaseAll, stopSignal } from './process.ts';

/** Milliseconds: to an identity, and to a manager. */
const longestWait = { identity: 30_000, dial: 2_000 };

/** A program of a mesh from its identity to its end: `work` starts it, and gives back what stops it. */
async function runInMesh(
  options: ProgramOptions,
  work: (program: MeshProgram) => Promise<() => Promise<void>>,
): Promise<ExitCode> {
  const log = makeLog(options.logLevel, { program: options.name });
  changeLevelBySignal(log);
  const unixSockets = new NativeUnixSockets();
  const releases: Releases = [() => unixSockets.close()];
  const { maxTokenMilliseconds } = options;
  const program = new MeshProgram({ identity: identitySource(options, log), unixSockets, maxTokenMilliseconds, log });
  releases.push(() => program.close());
  const stopping = stopSignal(longestStop.removingWires, log);
  try {
    await program.ready(AbortSignal.timeout(longestWait.identity));
    releases.push(await work(program));
    await stopping;
  } finally {
    await releaseAll(releases, log);
  }
  return exitCodes.ok;
}

export const request = (options: RequestOptions, onConnected: (report: ConnectionReport) => void) =>
  runInMesh(options, async (program) => {
    const client = new Client({ ...options, dialMilliseconds: longestWait.dial }, program, startPings);
    onConnected(reportOf(await client.connect()));
    return () => client.stop();
  });

export const endpoint = (
  options: EndpointOptions,
  onRegistered: () => void,
  onChange: (change: string, report: ConnectionReport) => void,
) =>
  runInMesh(options, async (program) => {
    const settings = { ...options, dialMilliseconds: longestWait.dial };
    const tell = (change: string, connection: Parameters<typeof reportOf>[0]) => onChange(change, reportOf(connection));
    const server = new Endpoint(settings, program, tell, onRegistered);
    await server.start();
    return () => server.stop();
  });

export const manager = (options: ManagerOptions, onServing: () => void) =>
  runInMesh(options, async (program) => {
    const server = new LocalManager(options, program);
    await server.start();
    onServing();
    return () => server.stop();
  });
