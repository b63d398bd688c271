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
import { identitySource } from './identity.ts';
import { type Part, Parts } from './part.ts';
import { changeLevelBySignal, longestStop, makeLog, stopSignal } from './process.ts';

/** How long to wait for an identity and for a connection to the manager, in milliseconds. */
const longestWait = { identity: 30_000, dial: 2_000 };

/** Runs a program of a mesh, from getting its identity to its end. */
async function runInMesh(options: ProgramOptions, makePart: (program: MeshProgram) => Part): Promise<ExitCode> {
  const log = makeLog(options.logLevel, { program: options.name });
  changeLevelBySignal(log);
  const unixSockets = new NativeUnixSockets();
  const { maxTokenMilliseconds } = options;
  const program = new MeshProgram({ identity: identitySource(options, log), unixSockets, maxTokenMilliseconds, log });
  const parts = new Parts(
    [
      { start: () => {}, stop: () => unixSockets.close() },
      { start: () => program.ready(AbortSignal.timeout(longestWait.identity)), stop: () => program.close() },
      makePart(program),
    ],
    log,
  );
  const stopping = stopSignal(longestStop.removingWires, log);
  try {
    await parts.start();
    await stopping;
  } finally {
    await parts.stop();
  }
  return exitCodes.ok;
}

export const request = (options: RequestOptions, onConnected: (report: ConnectionReport) => void) =>
  runInMesh(options, (program) => {
    const client = new Client({ ...options, dialMilliseconds: longestWait.dial }, program, startPings);
    return { start: async () => onConnected(reportOf(await client.connect())), stop: () => client.stop() };
  });

export const endpoint = (
  options: EndpointOptions,
  onRegistered: () => void,
  onChange: (change: string, report: ConnectionReport) => void,
) =>
  runInMesh(options, (program) => {
    const settings = { ...options, dialMilliseconds: longestWait.dial };
    const tell = (change: string, connection: Parameters<typeof reportOf>[0]) => onChange(change, reportOf(connection));
    return new Endpoint(settings, program, tell, onRegistered);
  });

export const manager = (options: ManagerOptions, onServing: () => void) =>
  runInMesh(options, (program) => {
    const server = new LocalManager(options, program);
    return {
      start: async () => {
        await server.start();
        onServing();
      },
      stop: () => server.stop(),
    };
  });
