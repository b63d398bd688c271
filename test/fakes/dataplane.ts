// SPDX-License-Identifier: Apache-2.0
// A FAKE of Dataplane in memory, over a FakeKernel: namespaces, interfaces and engine wires, with the refusals that matter
// (names in use, foreign interfaces, busy taps and listeners, renaming while up). It has no frames and workers
// (tests set the counters), no memif handshakes (a memif end is down unless a test says otherwise) and no delays.
//
// onStep is called with its name before every change; if it throws, the step fails. A FakePowerCut leaves
// everything as it is at that moment; any other error undoes the call, as the contract of Dataplane demands.

import { statisticsRows } from '../../src/dataplane/statistics.ts';
import type * as types from '../../src/dataplane/types.ts';
import { engineDropReasons } from '../../src/model/drop-reason.ts';
import { changeFakeInterface } from './change.ts';
import { type FakeInterface, FakeKernel, type FakeNamespace, isRunning, refusal } from './kernel.ts';

export class FakePowerCut extends Error {}

/** The next process gets the same descriptor number, and perhaps the same inode. */
const engineNamespace = { path: '/proc/self/fd/30', inode: 4026531999 };

interface OpenLink {
  readonly request: types.LinkRequest;
  /** The device, not its name: renaming it does not matter. */
  readonly tap?: FakeInterface;
}

interface FakeEngineWire {
  client: OpenLink;
  endpoint: OpenLink;
  readonly words: BigUint64Array;
}

export class FakeDataplane implements types.Dataplane {
  readonly dropReasons = Object.keys(engineDropReasons);
  readonly kernel: FakeKernel;
  onStep: (step: string) => void = () => {};
  readonly engineWires = new Map<types.EngineWireId, FakeEngineWire>();
  /** 'HOLDER in GROUP' → granted nodes. Refusals of control groups are not simulated. */
  readonly deviceGrants = new Map<string, readonly types.DeviceNode[]>();
  #nextId = 1;
  #engineNamespace: FakeNamespace | undefined;

  constructor(kernel = new FakeKernel()) {
    this.kernel = kernel;
  }

  async start(): Promise<void> {}

  /** Also simulates a killed process: file descriptors and the engine's namespace disappear, persistent taps stay. */
  async close(): Promise<void> {
    for (const one of this.kernel.all()) if (one.holder === this) delete one.holder;
    this.engineWires.clear();
    if (this.#engineNamespace) this.kernel.removeNamespace(engineNamespace.path);
    this.#engineNamespace = undefined;
  }

  async probe(): Promise<types.MachineProbe> {
    const able = {
      tun: true,
      tunVirtioHeader: true,
      udpSegmentation: true,
      memfd: true,
      abstractSockets: true,
      tunnels: { wireguard: true },
    };
    return { ...able, kernel: 'fake', capabilities: ['CAP_NET_ADMIN', 'CAP_SYS_ADMIN'] };
  }

  async identifyNamespace(path: string): Promise<types.NamespaceIdentity> {
    this.onStep('identifyNamespace');
    const { device, inode } = this.kernel.namespace(path);
    return { device, inode };
  }

  async listNamespaces(): Promise<types.NamespaceEntry[]> {
    this.onStep('listNamespaces');
    return this.kernel.namespaces();
  }

  async listInterfaces({
    netns,
    aliasPrefix,
    names,
    details = true,
  }: types.InterfaceQuery): Promise<types.InterfaceInfo[]> {
    this.onStep('listInterfaces');
    const everything = aliasPrefix === undefined && names === undefined;
    return [...this.kernel.namespace(netns).interfaces.values()]
      .filter(
        ({ alias, name }) =>
          everything || (aliasPrefix !== undefined && alias.startsWith(aliasPrefix)) || names?.includes(name),
      )
      .map((one) => {
        const { index, name, alias, kind, mac, mtu, up, allowsPing, tunnel, uplink, device } = one;
        const { addresses, routes, neighbours, policies } = one;
        const none = { addresses: [], routes: [], neighbours: [], policies: [] };
        const known = details ? { addresses, routes, neighbours, policies } : none;
        const lists = structuredClone(known);
        const link = { index, name, alias, kind, mac, mtu, up, running: isRunning(one), allowsPing };
        const held = {
          ...(tunnel ? { tunnel } : {}),
          ...(uplink ? { uplink } : {}),
          ...(device ? { device } : {}),
        };
        return { ...link, ...lists, ...held };
      });
  }

  async createVethPair(a: types.VethSide, b: types.VethSide): Promise<void> {
    this.onStep('create the veth pair');
    const first = this.kernel.create(a.netns, a.name, 'veth', a.mac, a.mtu);
    const undo = () => this.kernel.destroy(first);
    undoing(undo, () => {
      first.peer = this.kernel.create(b.netns, b.name, 'veth', b.mac, b.mtu);
      first.peer.peer = first;
      this.onStep('mark the first side');
      first.alias = a.alias;
      this.onStep('mark the second side');
      first.peer.alias = b.alias;
    });
  }

  async createTap({ netns, name, alias, payload, mac, mtu }: types.TapRequest): Promise<void> {
    this.onStep('create the tap');
    const made = this.kernel.create(netns, name, payload === 'ip' ? 'tun' : 'tap', mac, mtu);
    const undo = () => this.kernel.destroy(made);
    undoing(undo, () => {
      this.onStep('mark the tap');
      made.alias = alias;
    });
  }

  async createTunnel(request: types.TunnelRequest): Promise<void> {
    this.onStep('create the tunnel');
    const made = this.kernel.createTunnel(request, tunnelsOf(this.#links()));
    const undo = () => this.kernel.destroy(made);
    undoing(undo, () => {
      this.onStep('mark the tunnel');
      made.alias = request.alias;
    });
  }

  async createVlan({ netns, name, alias, mac, mtu, device, id, uplink }: types.VlanRequest): Promise<void> {
    this.onStep('share the device');
    if (!this.kernel.namespace('').interfaces.has(device))
      throw refusal('HOST_DEVICE_MISSING', device, 'No such device', 19);
    const left = this.kernel.namespace('').interfaces.get(uplink);
    if (left) this.kernel.destroy(left);
    const below = uplink ? this.kernel.create('', uplink, 'macvlan', mac, mtu) : undefined;
    let made: FakeInterface | undefined;
    const undo = () => [below, made].forEach((one) => one && this.kernel.destroy(one));
    undoing(undo, () => {
      this.onStep('mark what is below');
      if (below) below.alias = `${alias}/uplink`;
      made = this.kernel.create(netns, name, below ? 'vlan' : 'macvlan', mac, mtu);
      Object.assign(made, { uplink: { device, id, name: uplink, mac: below ? mac : '', sound: true } });
      if (below) below.above = made;
      this.onStep('mark the part');
      made.alias = alias;
    });
  }

  async changeInterface(change: types.InterfaceChange): Promise<void> {
    const one = this.kernel.interface(change.netns, change.name);
    if (one.alias !== change.alias) throw refusal('INTERFACE_NOT_OURS', change.name, `its alias is '${one.alias}'`);
    const restore = this.kernel.remember(one);
    undoing(restore, () => changeFakeInterface(this.kernel, one, change, this.onStep));
  }

  async deleteInterface(netns: string, name: string, alias: string): Promise<boolean> {
    this.onStep('delete the interface');
    const one = this.kernel.namespace(netns).interfaces.get(name);
    if (!one) return false;
    if (one.alias !== alias) throw refusal('INTERFACE_NOT_OURS', name, `its alias is '${one.alias}'`);
    this.kernel.destroy(one);
    return true;
  }

  async readStatistics(interfaces: readonly { netns: string; name: string }[]): Promise<types.StatisticsRows> {
    return statisticsRows(
      interfaces.map(({ netns, name }) => {
        try {
          return this.kernel.interface(netns, name).statistics;
        } catch {
          return undefined;
        }
      }),
    );
  }

  async readVirtualFunctions(netns: string, pf: string): Promise<types.VirtualFunctionInfo[]> {
    return structuredClone([...this.kernel.interface(netns, pf).virtualFunctions]);
  }

  async changeVirtualFunction(change: types.VirtualFunctionChange): Promise<void> {
    this.onStep('change the virtual function');
    const { netns, pf, index, ...settings } = change;
    const functions = this.kernel.interface(netns, pf).virtualFunctions;
    const at = functions.findIndex((one) => one.index === index);
    if (at < 0) throw refusal('VF_REFUSED', `VF ${index} of ${pf}`, 'Invalid argument', 22);
    functions[at] = { ...functions[at], ...settings, index };
  }

  async markInterface({ netns, name, from, alias }: types.InterfaceMark): Promise<void> {
    this.onStep('mark the interface');
    const one = this.kernel.interface(netns, name);
    if (one.alias !== from) throw refusal('INTERFACE_NOT_OURS', name, `its alias is '${one.alias}'`);
    one.alias = alias;
  }

  async moveInterface({ netns, name, alias, to, rename }: types.InterfaceMove): Promise<void> {
    const one = this.kernel.interface(netns, name);
    if (one.alias === '') await this.markInterface({ netns, name, from: '', alias });
    this.onStep('move the interface');
    if (one.alias !== alias) throw refusal('INTERFACE_NOT_OURS', name, `its alias is '${one.alias}'`);
    this.kernel.move(one, to, rename);
  }

  async grantDevices(group: string, holder: string, nodes: readonly types.DeviceNode[]): Promise<types.DeviceAccess> {
    this.onStep('grantDevices');
    const changed = !this.deviceGrants.has(`${holder} in ${group}`);
    this.deviceGrants.set(`${holder} in ${group}`, nodes);
    return { version: 2, opened: nodes, changed };
  }

  async withdrawDevices(group: string, holder: string): Promise<boolean> {
    this.onStep('withdrawDevices');
    return this.deviceGrants.delete(`${holder} in ${group}`);
  }

  async engineNamespace(): Promise<types.NamespaceEntry> {
    this.#engineNamespace ??= this.kernel.addNamespace(engineNamespace.path, engineNamespace.inode);
    const { device, inode } = this.#engineNamespace;
    return { path: engineNamespace.path, device, inode };
  }

  async startWire(request: types.EngineWireRequest): Promise<types.EngineWireId> {
    this.onStep('start the engine wire');
    const client = this.#open(request.client, []);
    const endpoint = undoing(
      () => this.#close(client),
      () => this.#open(request.endpoint, [client]),
    );
    const id = this.#nextId++;
    this.engineWires.set(id, { client, endpoint, words: new BigUint64Array(2 * this.wordsPerEnd) });
    return id;
  }

  async replaceEnd(id: types.EngineWireId, end: 'client' | 'endpoint', link: types.LinkRequest): Promise<void> {
    this.onStep('replace the end');
    const wire = this.#wire(id);
    const opened = this.#open(link, []);
    this.#close(wire[end]);
    wire[end] = opened;
  }

  async stopWire(id: types.EngineWireId): Promise<void> {
    this.onStep('stop the engine wire');
    const wire = this.#wire(id);
    this.engineWires.delete(id);
    this.#close(wire.client);
    this.#close(wire.endpoint);
  }

  describeWire(id: types.EngineWireId): { client: types.LinkState; endpoint: types.LinkState } {
    const { client, endpoint } = this.#wire(id);
    const numbers = { receiveRings: 0, transmitRings: 0, ringSize: 0, bufferSize: 0, sessions: 0, refused: 0 };
    const of = ({ tap }: OpenLink) => ({
      ...numbers,
      up: !!tap,
      detail: tap ? 'open' : 'waiting for a peer',
      peer: '',
    });
    return { client: of(client), endpoint: of(endpoint) };
  }

  fingerprints(): ReadonlyMap<types.EngineWireId, bigint> {
    const value = (id: types.EngineWireId) => {
      const { client, endpoint } = this.describeWire(id);
      return (client.up ? 1n : 0n) + (endpoint.up ? 2n : 0n);
    };
    return new Map([...this.engineWires.keys()].map((id) => [id, value(id)]));
  }

  readCounters(only?: types.EngineWireId): types.EngineCounters {
    const { wordsPerEnd } = this;
    const wires = [...this.engineWires].filter(([id]) => only === undefined || id === only);
    const words = new BigUint64Array(wires.length * 2 * wordsPerEnd);
    wires.forEach(([, wire], row) => words.set(wire.words, row * 2 * wordsPerEnd));
    return { ids: wires.map(([id]) => id), wordsPerEnd, words };
  }

  workerStatistics(): types.WorkerStatistics[] {
    return [];
  }

  get wordsPerEnd(): number {
    return 4 + this.dropReasons.length;
  }

  #wire(id: types.EngineWireId): FakeEngineWire {
    const wire = this.engineWires.get(id);
    if (!wire) throw refusal('WIRE_MISSING', String(id), 'no such engine wire');
    return wire;
  }

  #open(request: types.LinkRequest, alsoOpen: readonly OpenLink[]): OpenLink {
    if (request.kind === 'tap') {
      const tap = this.kernel.interface(request.netns, request.interface);
      if (tap.holder) throw refusal('TAP_BUSY', request.interface, 'Device or resource busy', 16);
      tap.holder = this;
      return { request, tap };
    }
    if (request.kind === 'device') {
      this.kernel.interface(request.netns, request.interface);
      return { request };
    }
    if (request.kind === 'tunnel') {
      this.kernel.refuseTunnel(request.tunnel, tunnelsOf([...this.#links(), ...alsoOpen]));
      return { request };
    }
    if ([...this.#links(), ...alsoOpen].some((other) => sameListener(request, other.request)))
      throw refusal('SOCKET_BUSY', request.socket, `id ${request.id} is taken`, 98);
    return { request };
  }

  #links(): OpenLink[] {
    return [...this.engineWires.values()].flatMap(({ client, endpoint }) => [client, endpoint]);
  }

  #close({ tap }: OpenLink): void {
    if (tap) delete tap.holder;
  }
}

function tunnelsOf(links: readonly OpenLink[]): types.TunnelParameters[] {
  return links.flatMap(({ request }) => (request.kind === 'tunnel' ? [request.tunnel] : []));
}

function sameListener(a: types.MemifLinkRequest, b: types.LinkRequest): boolean {
  if (b.kind !== 'memif' || a.role !== 'server' || b.role !== 'server') return false;
  return a.socket === b.socket && a.id === b.id && (!a.socket.startsWith('@') || a.netns === b.netns);
}

function undoing<T>(undo: () => void, change: () => T): T {
  try {
    return change();
  } catch (error) {
    if (!(error instanceof FakePowerCut)) undo();
    throw error;
  }
}
