// SPDX-License-Identifier: Apache-2.0
// The daemon: the list of its parts, from the data plane to readiness.

import type { Logger } from 'pino';
import { type ExitCode, exitCodes } from '../cli/exit-codes.ts';
import type { RunFiles } from '../cli/run.ts';
import { NativeDataplane } from '../dataplane/dataplane.ts';
import { openDescriptors } from '../machine/descriptors.ts';
import { type OpenDevices, openDevices } from '../machine/sriov/open.ts';
import { MeshMetrics } from '../metrics/mesh-metrics.ts';
import { ProcessMetrics } from '../metrics/process-metrics.ts';
import type { NsmOptions } from '../options/nsm-option-rows.ts';
import type { NsmReading } from '../options/nsm-options.ts';
import type { RunOptions } from '../options/run-options.ts';
import { Supervisor } from '../supervisor/supervisor.ts';
import { controlServer } from './control.ts';
import type { DeviceSharing, SharingParts } from './device-sharing.ts';
import { Engine } from './engine.ts';
import { Metrics } from './metrics.ts';
import { LazyPart, type Part, Parts } from './part.ts';
import { changeLevelBySignal, longestStop, makeLog, stopSignal } from './process.ts';
import { Readiness } from './readiness.ts';
import { VirtualFunctions } from './virtual-functions.ts';
import { WireFiles } from './wire-files.ts';
import { Wires } from './wires.ts';

export interface DaemonSettings {
  readonly version: string;
  readonly options: RunOptions;
  readonly files: RunFiles;
  readonly nsm: NsmReading;
}

export async function runDaemon(settings: DaemonSettings): Promise<ExitCode> {
  const { options, nsm } = settings;
  const log = makeLog(options.logLevel, { node: options.node });
  changeLevelBySignal(log);
  process.on('uncaughtException', (error) => {
    log.fatal({ error }, 'unexpected failure; kernel wires go on');
    process.exit(exitCodes.failed);
  });
  for (const warning of nsm.warnings) log.warn({}, warning);
  const parts = new Parts(partsOf(settings, log), log);
  const stopping = stopSignal(options.removeOnExit ? longestStop.removingWires : longestStop.keepingWires, log);
  try {
    await parts.start();
    await stopping;
  } finally {
    await parts.stop();
  }
  log.info({}, 'stopped');
  return exitCodes.ok;
}

function partsOf({ version, options, files, nsm }: DaemonSettings, log: Logger): Part[] {
  const startedAt = new Date().toISOString();
  const { node, stateDirectory, resyncSeconds, removeOnExit } = options;
  const { wires, physicalFunctions } = files;

  const dataplane = new NativeDataplane();
  const devices = openDevices({
    dataplane,
    stateDirectory,
    allowed: physicalFunctions,
    nodes: options.vfioDirectory,
    onCorrupt: (file, reason) => log.error({ file, reason }, 'corrupt lease set aside'),
  });
  const processMetrics = new ProcessMetrics(openDescriptors);
  const meshMetrics = nsm.options && new MeshMetrics();
  const supervisor = new Supervisor({
    dataplane,
    devices: devices.lender,
    stateDirectory,
    node,
    log,
    resyncSeconds,
    onWireMade: (seconds, path) => processMetrics.observeSetup(seconds, path),
  });
  const readiness = new Readiness(() => log.info({ version, options }, 'ready'));
  const shared = { version, dataplane, supervisor, inventory: devices.inventory, log };
  const metrics = { ...shared, process: processMetrics, mesh: meshMetrics, readiness };

  return [
    new Engine(dataplane, options),
    ...(physicalFunctions ? [new VirtualFunctions(devices.sysfs, physicalFunctions, log)] : []),
    ...(options.metrics ? [new Metrics({ ...metrics, options: { ...options, metrics: options.metrics } })] : []),
    new Wires(supervisor, removeOnExit),
    controlServer({ ...shared, options, startedAt }),
    new WireFiles(supervisor, wires),
    ...(nsm.options && meshMetrics
      ? [
          meshParts(
            nsm.options,
            { ...shared, metrics: meshMetrics, readiness },
            physicalFunctions ? devices : undefined,
          ),
        ]
      : []),
    readiness,
  ];
}

interface MeshShared {
  readonly version: string;
  readonly dataplane: NativeDataplane;
  readonly supervisor: Supervisor;
  readonly metrics: MeshMetrics;
  readonly readiness: Readiness;
  readonly log: Logger;
}

function meshParts(options: NsmOptions, shared: MeshShared, devices: OpenDevices | undefined): Part {
  return new LazyPart(async () => {
    const { Mesh } = await import('./mesh.ts');
    const sharing = devices && (await shareDevices(options, { ...devices, ...shared }));
    const mesh = new Mesh(options, { ...shared, devices: sharing?.shared });
    shared.readiness.mesh = mesh;
    return new Parts([...(sharing ? [sharing] : []), mesh], shared.log);
  });
}

async function shareDevices(options: NsmOptions, parts: SharingParts): Promise<DeviceSharing> {
  const { DeviceSharing } = await import('./device-sharing.ts');
  return new DeviceSharing(options, parts);
}
