// SPDX-License-Identifier: Apache-2.0
// The daemon and its command line: here and in main/ concrete parts are wired together, and nowhere else.

import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { Logger } from 'pino';
import { type ExitCode, exitCodes } from './cli/exit-codes.ts';
import { runProgram } from './cli/program.ts';
import { readSriovFile } from './cli/read-files.ts';
import type { RunFiles } from './cli/run.ts';
import type { Terminal } from './cli/terminal.ts';
import { type NsmReading, tunnelAddressOf } from './options/nsm-options.ts';
import { sriovFileOf } from './options/nsm-run-options.ts';
import type { RunOptions } from './options/run-options.ts';
import { parseWireList } from './wire/wire-list.ts';
import { wireJsonSchema } from './wire/wire-schema.ts';
import { NativeDataplane } from './dataplane/dataplane.ts';
import { readCpuQuota } from './machine/cgroup.ts';
import { openDescriptors } from './machine/descriptors.ts';
import { examineMachine } from './machine/doctor.ts';
import { requireOnline } from './machine/online-cpus.ts';
import { requireCapabilities } from './machine/privileges.ts';
import { openDevices } from './machine/sriov/open.ts';
import { findUnderlay } from './machine/underlay.ts';
import { ControlServer } from './http/control-server.ts';
import { MetricsServer } from './http/metrics-server.ts';
import { Exposition } from './metrics/exposition.ts';
import { Liveness } from './metrics/liveness.ts';
import { MeshMetrics } from './metrics/mesh-metrics.ts';
import { ProcessMetrics } from './metrics/process-metrics.ts';
import type { Wire } from './wire/wire.ts';
import { changeLevelBySignal, longestStop, makeLog, type Releases, releaseAll, stopSignal } from './main/process.ts';
import type { Forwarder } from './forwarder/forwarder.ts';
import { Supervisor } from './supervisor/supervisor.ts';

const packageFile = new URL('../package.json', import.meta.url);
const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };

async function run(options: RunOptions, files: RunFiles, nsm: NsmReading): Promise<ExitCode> {
  const log = makeLog(options.logLevel, { node: options.node });
  changeLevelBySignal(log);
  process.on('uncaughtException', (error) => {
    log.fatal({ error }, 'unexpected failure; kernel wires go on');
    process.exit(exitCodes.failed);
  });
  const releases: Releases = [];
  const stopping = stopSignal(options.removeOnExit ? longestStop.removingWires : longestStop.keepingWires, log);
  try {
    await start(options, files, nsm, log, releases);
    await stopping;
  } finally {
    await releaseAll(releases, log);
  }
  log.info({}, 'stopped');
  return exitCodes.ok;
}

async function start(
  options: RunOptions,
  { wires, physicalFunctions }: RunFiles,
  nsm: NsmReading,
  log: Logger,
  releases: Releases,
): Promise<void> {
  const startedAt = new Date().toISOString();
  const { node, stateDirectory, resyncSeconds, removeOnExit, workers, workerCpus, busyPoll } = options;
  const onInternalError = (error: unknown) => log.error({ error }, 'unexpected failure while answering');
  const state = { ready: false, forwarder: undefined as Forwarder | undefined };

  const dataplane = new NativeDataplane();
  requireCapabilities((await dataplane.probe()).capabilities);
  await requireOnline(workerCpus);
  releases.push(() => dataplane.close());
  await dataplane.start({ workers, cpus: workerCpus, busyPoll });

  const onCorrupt = (file: string, reason: string) => log.error({ file, reason }, 'corrupt lease set aside');
  const nodes = options.vfioDirectory;
  const hardware = { dataplane, stateDirectory, allowed: physicalFunctions, nodes, onCorrupt };
  const { sysfs, inventory, lender } = openDevices(hardware);
  if (physicalFunctions) await (await import('./main/devices.ts')).makeDevices(sysfs, physicalFunctions, log);

  const processMetrics = new ProcessMetrics(openDescriptors);
  const mesh = nsm.options && new MeshMetrics();
  const supervisor = new Supervisor({
    dataplane,
    devices: lender,
    stateDirectory,
    node,
    log,
    resyncSeconds,
    onWireMade: (seconds, path) => processMetrics.observeSetup(seconds, path),
  });

  if (options.metrics) {
    const liveness = new Liveness(() => dataplane.workerStatistics());
    liveness.start();
    releases.push(() => liveness.stop());
    const source = {
      list: () => supervisor.statuses(),
      counters: () => supervisor.counters(),
      health: () => supervisor.health(),
      workers: () => dataplane.workerStatistics(),
      throttling: async () => (await readCpuQuota()).throttling,
      devices: () => inventory.read(),
    };
    const { metricsCompat: compat, metricsCompatPrefix: compatPrefix } = options;
    const inMesh = mesh ? { mesh } : {};
    const exposition = new Exposition({ source, process: processMetrics, ...inMesh, version, compat, compatPrefix });
    const server = new MetricsServer({
      ...options.metrics,
      render: () => exposition.render(),
      alive: () => liveness.report(),
      ready: () => state.ready && (state.forwarder?.serving ?? true),
      onInternalError,
    });
    await server.start();
    releases.push(() => server.stop());
  }

  releases.push(() => supervisor.stop({ removeWires: removeOnExit }));
  await supervisor.start();

  const control = new ControlServer({
    path: options.control,
    wires: supervisor,
    version,
    status: () => ({
      version,
      node,
      pid: process.pid,
      startedAt,
      wires: supervisor.list().length,
      workers: dataplane
        .workerStatistics()
        .map(({ worker, wires: held, hotWires }) => ({ worker, wires: held, hotWires })),
    }),
    devices: () => inventory.read(),
    parseWires: parseWireList,
    wireDocument: wireJsonSchema,
    onInternalError,
  });
  await control.start();
  releases.push(() => control.stop());

  if (wires.length > 0) releases.push(await applyAtStart(supervisor, wires, resyncSeconds, log));
  for (const warning of nsm.warnings) log.warn({}, warning);
  if (nsm.options && mesh) {
    const [{ joinMesh }, { shareDevices }] = await Promise.all([import('./main/mesh.ts'), import('./main/devices.ts')]);
    const sharing = { sysfs, inventory, lender, supervisor, log, releases };
    const devices = physicalFunctions && (await shareDevices(nsm.options, sharing));
    const parts = { dataplane, supervisor, metrics: mesh, devices, log, releases, version };
    state.forwarder = await joinMesh(nsm.options, parts);
  }
  state.ready = true;
  releases.push(() => {
    state.ready = false;
  });
  log.info({ version, options }, 'ready');
}

/** The wires of --wires. One that cannot be taken now, because a namespace is missing perhaps, keeps neither the others
 *  nor those of an earlier run from being; it is tried again until it can. */
async function applyAtStart(
  supervisor: Supervisor,
  wires: readonly Wire[],
  seconds: number,
  log: Logger,
): Promise<() => void> {
  let waiting = wires;
  const attempt = async () => {
    const refused = await Promise.all(
      waiting.map(async (wire) => {
        try {
          await supervisor.apply([wire]);
          return [];
        } catch (error) {
          log.warn({ wire: wire.name, error }, 'a wire of --wires cannot be taken yet; it is tried again');
          return [wire];
        }
      }),
    );
    waiting = refused.flat();
  };
  await attempt();
  let busy = false;
  const timer = setInterval(async () => {
    if (busy) return;
    busy = true;
    await attempt();
    busy = false;
    if (waiting.length === 0) clearInterval(timer);
  }, seconds * 1000).unref();
  if (waiting.length === 0) clearInterval(timer);
  return () => clearInterval(timer);
}

const terminal: Terminal = {
  out: (words) => void process.stdout.write(words),
  err: (words) => void process.stderr.write(words),
  stdin: async () => text(process.stdin),
  environment: process.env,
};

// `crosswire get wires | head -1` ends quietly.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) =>
  process.exit(code === 'EPIPE' ? exitCodes.ok : exitCodes.failed),
);

/** gRPC and what belongs to it are most of the program's modules, and most uses need none of them. */
type MeshPrograms = typeof import('./main/mesh-programs.ts');
const meshPrograms = (): Promise<MeshPrograms> => import('./main/mesh-programs.ts');

let hasRun = false;
/** Whatever is still open after one of the programs has nobody left to serve. */
const ran =
  <Given extends unknown[]>(program: (...given: Given) => Promise<ExitCode>) =>
  (...given: Given) => {
    hasRun = true;
    return program(...given);
  };
process.exitCode = await runProgram(process.argv.slice(2), {
  version,
  terminal,
  run: ran(run),
  mesh: {
    request: ran(async (...given: Parameters<MeshPrograms['request']>) => (await meshPrograms()).request(...given)),
    endpoint: ran(async (...given: Parameters<MeshPrograms['endpoint']>) => (await meshPrograms()).endpoint(...given)),
    manager: ran(async (...given: Parameters<MeshPrograms['manager']>) => (await meshPrograms()).manager(...given)),
  },
  doctor: () =>
    examineMachine({
      loadDataplane: async () => new NativeDataplane(),
      findUnderlay: () => findUnderlay(tunnelAddressOf(process.env)),
      readSriovFile: async () => {
        const name = sriovFileOf(process.env);
        return name === '' ? undefined : readSriovFile(name);
      },
    }),
});
if (hasRun) process.exit();
