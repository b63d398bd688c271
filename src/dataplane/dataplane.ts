// SPDX-License-Identifier: Apache-2.0
// The façade of types.ts over the addon, which it loads at first use. Its only state is the engine.

import { engineDropReasons } from '../model/drop-reason.ts';
import { type Addon, loadAddon, type NativeEngine } from './loader.ts';
import type * as types from './types.ts';

export class NativeDataplane implements types.Dataplane {
  readonly dropReasons: readonly string[] = Object.keys(engineDropReasons);
  #loaded: Addon | undefined;
  #made: NativeEngine | undefined;

  async start(options: types.DataplaneOptions = {}): Promise<void> {
    await this.#engine.start(options);
  }

  async close(): Promise<void> {
    await this.#made?.close();
  }

  async probe(): Promise<types.MachineProbe> {
    return this.#addon.probe();
  }

  async identifyNamespace(path: string): Promise<types.NamespaceIdentity> {
    return this.#addon.identifyNamespace(path);
  }

  async listNamespaces(): Promise<types.NamespaceEntry[]> {
    return this.#addon.listNamespaces();
  }

  async listInterfaces(query: types.InterfaceQuery): Promise<types.InterfaceInfo[]> {
    return this.#addon.listInterfaces(query);
  }

  async createVethPair(a: types.VethSide, b: types.VethSide): Promise<void> {
    await this.#addon.createVethPair(a, b);
  }

  async createTap(request: types.TapRequest): Promise<void> {
    await this.#addon.createTap(request);
  }

  async createTunnel(request: types.TunnelRequest): Promise<void> {
    await this.#addon.createTunnel(request);
  }

  async createVlan(request: types.VlanRequest): Promise<void> {
    await this.#addon.createVlan(request);
  }

  async changeInterface(change: types.InterfaceChange): Promise<void> {
    await this.#addon.changeInterface(change);
  }

  async deleteInterface(netns: string, name: string, alias: string): Promise<boolean> {
    return this.#addon.deleteInterface(netns, name, alias);
  }

  async readStatistics(interfaces: readonly { netns: string; name: string }[]): Promise<types.StatisticsRows> {
    return this.#addon.readStatistics(interfaces);
  }

  async readVirtualFunctions(netns: string, pf: string): Promise<types.VirtualFunctionInfo[]> {
    return this.#addon.readVirtualFunctions(netns, pf);
  }

  async changeVirtualFunction(change: types.VirtualFunctionChange): Promise<void> {
    await this.#addon.changeVirtualFunction(change);
  }

  async markInterface(mark: types.InterfaceMark): Promise<void> {
    await this.#addon.markInterface(mark);
  }

  async moveInterface(move: types.InterfaceMove): Promise<void> {
    await this.#addon.moveInterface(move);
  }

  async grantDevices(group: string, holder: string, nodes: readonly types.DeviceNode[]): Promise<types.DeviceAccess> {
    return this.#addon.grantDevices(group, holder, nodes);
  }

  async withdrawDevices(group: string, holder: string): Promise<boolean> {
    return this.#addon.withdrawDevices(group, holder);
  }

  async engineNamespace(): Promise<types.NamespaceEntry> {
    return this.#engine.engineNamespace();
  }

  async startWire(request: types.EngineWireRequest): Promise<types.EngineWireId> {
    const { direct, client, endpoint } = request;
    if (!direct || client.kind !== 'memif' || endpoint.kind !== 'memif') return this.#engine.startWire(request);
    const place = ({ socket, netns }: types.MemifLinkRequest) => ({ socket, netns });
    return this.#engine.startProxy({ listen: place(client), dial: place(endpoint) });
  }

  async replaceEnd(id: types.EngineWireId, end: 'client' | 'endpoint', link: types.LinkRequest): Promise<void> {
    await this.#engine.replaceEnd(id, end, link);
  }

  async stopWire(id: types.EngineWireId): Promise<void> {
    await this.#engine.stopWire(id);
  }

  describeWire(id: types.EngineWireId): { client: types.LinkState; endpoint: types.LinkState } {
    return this.#engine.describeWire(id);
  }

  fingerprints(): Map<types.EngineWireId, bigint> {
    const { ids, values } = this.#engine.fingerprints();
    const all = new Map<types.EngineWireId, bigint>();
    for (let row = 0; row < ids.length; row++) all.set(ids[row] as number, values[row] as bigint);
    return all;
  }

  readCounters(id?: types.EngineWireId): types.EngineCounters {
    const { ids, words } = this.#engine.readCounters(id);
    return { ids: Array.from(ids), wordsPerEnd: 4 + this.dropReasons.length, words };
  }

  workerStatistics(): types.WorkerStatistics[] {
    return this.#engine.workerStatistics();
  }

  get #addon(): Addon {
    this.#loaded ??= loadAddon();
    return this.#loaded;
  }

  get #engine(): NativeEngine {
    this.#made ??= new this.#addon.Engine();
    return this.#made;
  }
}
