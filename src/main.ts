// SPDX-License-Identifier: Apache-2.0
// The only file that wires concrete parts together.

import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { destination, type Logger, pino, stdSerializers, stdTimeFunctions } from 'pino';
import { type ExitCode, exitCodes } from './cli/exit-codes.ts';
import { runProgram } from './cli/program.ts';
import { readSriovFile } from './cli/read-files.ts';
import type { RunFiles } from './cli/run.ts';
import type { Terminal } from './cli/terminal.ts';
import type { EndpointOptions, ManagerOptions, ProgramOptions, RequestOptions } from './config/mesh-options.ts';
import { type IdentityOptions, type NsmOptions, type NsmReading, tunnelAddressOf } from './config/nsm-options.ts';
import { sriovFileOf } from './config/nsm-run-options.ts';
import type { RunOptions } from './config/run-options.ts';
import { parseWireList } from './config/wire-list.ts';
import { wireJsonSchema } from './config/wire-schema.ts';
import { NativeDataplane } from './dataplane/dataplane.ts';
import { NativeUnixSockets } from './dataplane/unix-sockets.ts';
import { readCpuQuota } from './host/cgroup.ts';
import { openDescriptors } from './host/descriptors.ts';
import { examineMachine } from './host/doctor.ts';
import { kernelHas } from './host/kernel-modules.ts';
import { requireOnline } from './host/online-cpus.ts';
import { requireCapabilities } from './host/privileges.ts';
import { makeVirtualFunctions } from './host/sriov/numvfs.ts';
import { openDevices } from './host/sriov/open.ts';
import type { Sysfs } from './host/sriov/sysfs.ts';
import { findUnderlay } from './host/underlay.ts';
import { ControlServer } from './http/control-server.ts';
import { MetricsServer } from './http/metrics-server.ts';
import { Exposition } from './metrics/exposition.ts';
import { Liveness } from './metrics/liveness.ts';
import { MeshMetrics } from './metrics/mesh-metrics.ts';
import { ProcessMetrics } from './metrics/process-metrics.ts';
import type { ConnectionReport } from './model/connection-report.ts';
import type { PhysicalFunctionSettings } from './model/device-status.ts';
import { CrosswireError } from './model/error.ts';
import type { Wire } from './model/wire.ts';
import { Client } from './nsm/client/client.ts';
import { reportOf } from './nsm/client/report.ts';
import { Endpoint } from './nsm/endpoint/endpoint.ts';
import { Forwarder } from './nsm/forwarder.ts';
import { FileSource } from './nsm/identity/file-source.ts';
import type { IdentitySource } from './nsm/identity/identity.ts';
import { WorkloadSource } from './nsm/identity/workload-source.ts';
import { LocalManager } from './nsm/local/manager.ts';
import { MeshProgram } from './nsm/program.ts';
import { startTracing } from './nsm/tracing/start.ts';
import { Supervisor } from './supervisor/supervisor.ts';

const packageFile = new URL('../package.json', import.meta.url);
const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };
/** Milliseconds from the first signal to a forced exit. The kernel takes some 40 ms to remove an interface. */
const longestStop = { keepingWires: 10_000, removingWires: 120_000 };

async function run(options: RunOptions, files: RunFiles, nsm: NsmReading): Promise<ExitCode> {
  const log = makeLog(options.logLevel, { node: options.node });
  process.on('uncaughtException', (error) => {
    log.fatal({ error }, 'unexpected failure; kernel wires go on');
    process.exit(exitCodes.failed);
  });
  // Each acquisition pushes its own release; they run in reverse.
  const releases: (() => Promise<unknown> | void)[] = [];
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
  releases: (() => Promise<unknown> | void)[],
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
  const hardware = { dataplane, stateDirectory, allowed: physicalFunctions, onCorrupt };
  const { sysfs, inventory, lender } = openDevices(hardware);
  if (physicalFunctions) await makeDevices(sysfs, physicalFunctions, log);

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
  if (nsm.options && mesh)
    state.forwarder = await joinMesh(nsm.options, { dataplane, supervisor, metrics: mesh, log, releases });
  state.ready = true;
  releases.push(() => {
    state.ready = false;
  });
  log.info({ version, options }, 'ready');
}

/** A NIC that cannot have virtual functions keeps nothing else from being served. */
async function makeDevices(sysfs: Sysfs, allowed: readonly PhysicalFunctionSettings[], log: Logger): Promise<void> {
  const { made, errors } = await makeVirtualFunctions(sysfs, allowed);
  for (const { pci, count } of made) log.info({ pci, count }, 'virtual functions made: there were none');
  for (const error of errors) log.warn({ error }, 'a NIC of the SR-IOV file cannot be used');
}

interface MeshParts {
  readonly dataplane: NativeDataplane;
  readonly supervisor: Supervisor;
  readonly metrics: MeshMetrics;
  readonly log: Logger;
  readonly releases: (() => Promise<unknown> | void)[];
}

/** Returns at once; what it waits for, an identity for one, it says in the log. */
async function joinMesh(options: NsmOptions, parts: MeshParts): Promise<Forwarder> {
  const { dataplane, supervisor, metrics, log, releases } = parts;
  const hasVxlan = (await kernelHas('vxlan')) !== 'no';
  const underlay = hasVxlan ? await findUnderlay(options.tunnelAddress) : undefined;
  if (!underlay)
    log.warn(
      { address: options.tunnelAddress, hasVxlan },
      'no tunnels from here: wires to other nodes are refused; crosswire doctor says more',
    );
  const unixSockets = new NativeUnixSockets();
  releases.push(() => unixSockets.close());
  const forwarder = new Forwarder(options, {
    wires: supervisor,
    readWire: readSingleWire,
    listNamespaces: () => dataplane.listNamespaces(),
    unixSockets,
    identity: identitySource(options, log),
    tunnel: underlay && { address: underlay.address, mtu: underlay.mtu, vxlanPort: options.vxlanPort },
    tracing: await startTracing(telemetryOf(options, log)),
    metrics,
    log,
  });
  releases.push(() => forwarder.stop());
  forwarder.start((error) => {
    log.fatal({ error }, 'the mesh cannot be served; kernel wires go on');
    process.kill(process.pid, 'SIGTERM');
  });
  return forwarder;
}

function telemetryOf({ telemetry, telemetryEndpoint: endpoint, name }: NsmOptions, log: Logger) {
  if (!telemetry) return undefined;
  const onExport = (error: Error | undefined) => {
    if (error) log.warn({ error, endpoint }, 'the collector takes no traces; they are dropped until it does');
    else log.info({ endpoint }, 'the collector takes traces again');
  };
  return { endpoint, serviceName: name, version, onExport };
}

function identitySource(options: IdentityOptions, log: Logger): IdentitySource {
  const { workloadApi: endpoint, certificateFile: certificate, keyFile: key, bundleFile: bundle } = options;
  const source = endpoint
    ? new WorkloadSource({ endpoint, log })
    : new FileSource({ files: { certificate, key, bundle }, log });
  source.start();
  return source;
}

/** Milliseconds: to an identity, and to a manager. */
const longestWait = { identity: 30_000, dial: 2_000 };

/** A program of a mesh from its identity to its end: `work` starts it, and gives back what stops it. */
async function runInMesh(
  options: ProgramOptions,
  work: (program: MeshProgram) => Promise<() => Promise<void>>,
): Promise<ExitCode> {
  daemon.ran = true;
  const log = makeLog(options.logLevel, { program: options.name });
  const unixSockets = new NativeUnixSockets();
  const releases: (() => Promise<unknown> | void)[] = [() => unixSockets.close()];
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

const request = (options: RequestOptions, onConnected: (report: ConnectionReport) => void) =>
  runInMesh(options, async (program) => {
    const client = new Client({ ...options, dialMilliseconds: longestWait.dial }, program);
    onConnected(reportOf(await client.connect()));
    return () => client.stop();
  });

const endpoint = (
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

const manager = (options: ManagerOptions, onServing: () => void) =>
  runInMesh(options, async (program) => {
    const server = new LocalManager(options, program);
    await server.start();
    onServing();
    return () => server.stop();
  });

async function readSingleWire(document: object): Promise<Wire> {
  const { wires, errors } = await parseWireList([document]);
  const [wire] = wires;
  if (wire && errors.length === 0) return wire;
  throw errors[0] ?? new Error('a wire document was read as nothing');
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

/** Resolves at the first SIGTERM or SIGINT. A second one, or the time limit, ends the process. */
async function stopSignal(limit: number, log: Logger): Promise<void> {
  return new Promise((resolve) => {
    let signals = 0;
    const onSignal = (signal: NodeJS.Signals) => {
      signals += 1;
      if (signals > 1) {
        log.warn({ signal }, 'second signal: ending at once; the next start tidies up');
        process.exit(exitCodes.failed);
      }
      log.info({ signal }, 'stopping');
      setTimeout(() => {
        log.error({ milliseconds: limit }, 'stopping took too long: ending; the next start tidies up');
        process.exit(exitCodes.failed);
      }, limit).unref();
      resolve();
    };
    process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  });
}

/** Carries on past failures. */
async function releaseAll(releases: (() => Promise<unknown> | void)[], log: Logger): Promise<void> {
  for (const release of releases.toReversed()) {
    try {
      await release();
    } catch (error) {
      log.error({ error }, 'could not be stopped cleanly');
    }
  }
}

function makeLog(level: string, base: object): Logger {
  const error = (value: unknown) =>
    value instanceof CrosswireError ? value.toJSON() : value instanceof Error ? stdSerializers.err(value) : value;
  return pino(
    {
      level,
      base,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error },
    },
    destination({ fd: 2, sync: true }),
  );
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

const daemon = { ran: false };
process.exitCode = await runProgram(process.argv.slice(2), {
  version,
  terminal,
  run: (options, files, nsm) => {
    daemon.ran = true;
    return run(options, files, nsm);
  },
  mesh: { request, endpoint, manager },
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
if (daemon.ran) process.exit(); // whatever is still open has nobody left to serve
