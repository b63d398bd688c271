// SPDX-License-Identifier: Apache-2.0
// The only file that loads the addon. A failed load explains itself for this machine.

import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { engineDropReasons } from '../model/drop-reason.ts';
import { CrosswireError } from '../model/error.ts';
import type { Dataplane, DataplaneOptions, EngineCounters, EngineWireId } from './types.ts';

/** The addon's methods that the façade passes on as they are. */
const passedOn = [
  'probe',
  'identifyNamespace',
  'listNamespaces',
  'listInterfaces',
  'createVethPair',
  'createTap',
  'createTunnel',
  'createVlan',
  'changeInterface',
  'deleteInterface',
  'readStatistics',
  'readVirtualFunctions',
  'changeVirtualFunction',
  'markInterface',
  'moveInterface',
  'grantDevices',
  'withdrawDevices',
] as const;

interface SocketPlace {
  readonly socket: string;
  readonly netns: string;
}

/** One engine: native/binding/engine_object.cpp. */
export interface NativeEngine
  extends Pick<
    Dataplane,
    'close' | 'engineNamespace' | 'startWire' | 'replaceEnd' | 'stopWire' | 'describeWire' | 'workerStatistics'
  > {
  startProxy(request: { readonly listen: SocketPlace; readonly dial: SocketPlace }): Promise<EngineWireId>;
  start(options: DataplaneOptions): Promise<void>;
  fingerprints(): { ids: Float64Array; values: BigUint64Array };
  readCounters(id?: EngineWireId): { ids: Float64Array; words: EngineCounters['words'] };
}

/** native/binding/unix_sockets_object.cpp. Descriptors are numbers, and the receiver's to close. */
export interface NativeUnixSocketsHandle {
  listen(path: string): Promise<number>;
  closeListener(listener: number): Promise<void>;
  dial(path: string): Promise<{ connection: number; fd: number }>;
  send(connection: number, path: string): Promise<string>;
  /** -1: not there yet. */
  received(connection: number, url: string): number;
  close(): Promise<void>;
}

export interface UnixSocketsEvents {
  accepted(listener: number, connection: number, fd: number): void;
  file(connection: number, url: string): void;
  ended(connection: number, reason: string): void;
}

export interface Addon extends Pick<Dataplane, (typeof passedOn)[number]> {
  readonly Engine: new () => NativeEngine;
  readonly UnixSockets: new (events: UnixSocketsEvents) => NativeUnixSocketsHandle;
  readonly dropReasons: readonly string[];
  setErrorClass(constructor: typeof CrosswireError): void;
}

// The same from src/dataplane and from dist/dataplane.
const inPackage = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** A checkout's own build comes first; the published package has only those that scripts/prebuild made. */
function addonPath(): string {
  const built = inPackage('build/Release/crosswire.node');
  if (existsSync(built) || isCheckout()) return built;
  return inPackage(`prebuilds/${process.platform}-${process.arch}${usesMusl() ? '-musl' : ''}/crosswire.node`);
}

function isCheckout(): boolean {
  return existsSync(inPackage('binding.gyp'));
}

/** Node reports the version of glibc that it runs on; on musl there is none. */
function usesMusl(): boolean {
  const report: NodeJS.ProcessReport & { excludeNetwork?: boolean } = process.report;
  report.excludeNetwork = true; // otherwise it would look up the name of every peer
  const { header } = report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined;
}

/** Throws ADDON_MISSING or ADDON_INCOMPATIBLE. */
export function loadAddon(path: string = addonPath()): Addon {
  if (!existsSync(path)) throw refusal('ADDON_MISSING', path, 'there is no such file');
  const addon = open(path);
  const lacking = lacks(addon);
  if (lacking) throw refusal('ADDON_INCOMPATIBLE', path, `it was built from other sources: ${lacking}`);
  addon.setErrorClass(CrosswireError);
  return addon;
}

function open(path: string): Addon {
  try {
    return createRequire(import.meta.url)(path) as Addon;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw refusal('ADDON_INCOMPATIBLE', path, reason, cause);
  }
}

/** An addon left over from an older build would fail later, or count under the wrong names. */
function lacks(addon: Addon): string | undefined {
  const missing = [...passedOn, 'setErrorClass' as const, 'Engine' as const, 'UnixSockets' as const].find(
    (name) => typeof addon[name] !== 'function',
  );
  if (missing) return `it has no ${missing}`;
  const expected = Object.keys(engineDropReasons).join();
  return addon.dropReasons?.join() === expected ? undefined : 'its drop reasons are not the catalogue’s';
}

function refusal(code: string, path: string, problem: string, cause?: unknown): CrosswireError {
  const machine = `${process.platform} ${process.arch}, Node ${process.version}, Node-API ${process.versions.napi}`;
  return new CrosswireError({
    code,
    operation: 'load the addon',
    subject: path,
    reason: `${problem} (this is ${machine})`,
    hint: hint(),
    cause,
  });
}

function hint(): string {
  if (process.platform !== 'linux') return 'Crosswire moves frames on Linux only';
  if (isCheckout()) return 'build the addon on this machine: npm run build, in the directory of package.json';
  const brought = existsSync(inPackage('prebuilds')) ? readdirSync(inPackage('prebuilds')).toSorted() : ['no machine'];
  return `this package brings addons for ${brought.join(', ')}; for another machine build one from a checkout`;
}
