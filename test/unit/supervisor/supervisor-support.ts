// SPDX-License-Identifier: Apache-2.0
// A machine in memory that survives its supervisors: a fake kernel, and journal files that are a map.

import type { Mechanism, Wire } from '../../../src/wire/wire.ts';
import type { Descriptors } from '../../../src/supervisor/act/descriptor-budget.ts';
import { type Journal, type JournalContents, parseChange, resumed } from '../../../src/supervisor/store/journal.ts';
import { type JournalRecord, parseRecord } from '../../../src/supervisor/store/record.ts';
import type { SupervisorSettings } from '../../../src/supervisor/settings.ts';
import { Supervisor } from '../../../src/supervisor/supervisor.ts';
import { FakeDataplane, FakePowerCut } from '../../fakes/dataplane.ts';
import { FakeDevices, FakeHardware } from '../../fakes/devices.ts';
import { type FakeInterface, FakeKernel } from '../../fakes/kernel.ts';
import { kernel, memif, vfio, vlan, vxlan, wireguard, wireOf } from '../plan/plan-support.ts';

export class FakeJournal implements Journal {
  readonly files: Map<string, string>;
  readonly changes: Map<string, string>;
  onStep: (step: string) => void = () => {};

  constructor(files: Map<string, string>, changes: Map<string, string>) {
    this.files = files;
    this.changes = changes;
  }

  async load(): Promise<JournalContents> {
    const records = new Map([...this.files].map(([name, text]) => [name, parseRecord(text, name)]));
    for (const [change, text] of this.changes) {
      for (const record of resumed(parseChange(text), records)) {
        await this.write(record);
        records.set(record.wire.name, record);
      }
      await this.end(change);
    }
    return { records: [...records.values()], corrupt: [] };
  }

  async begin(records: readonly JournalRecord[]): Promise<string> {
    const change = `change ${this.changes.size}`;
    this.onStep('write the change');
    this.changes.set(change, JSON.stringify({ records }));
    this.onStep('(the change is written)');
    return change;
  }

  async end(change: string): Promise<void> {
    this.onStep('erase the change');
    this.changes.delete(change);
    this.onStep('(the change is erased)');
  }

  async write(record: JournalRecord): Promise<void> {
    this.onStep('write the journal');
    this.files.set(record.wire.name, JSON.stringify(record));
    this.onStep('(the journal is written)');
  }

  async erase(wire: string): Promise<void> {
    this.onStep('erase the journal');
    this.files.delete(wire);
    this.onStep('(the journal is erased)');
  }
}

export interface Run {
  readonly supervisor: Supervisor;
  readonly dataplane: FakeDataplane;
  readonly journal: FakeJournal;
  readonly devices: FakeDevices;
}

export class Machine {
  readonly kernel = new FakeKernel();
  readonly hardware = new FakeHardware();
  readonly files = new Map<string, string>();
  /** Journal files of changes of several wires. */
  readonly changes = new Map<string, string>();

  constructor(namespaces: readonly string[] = ['/run/netns/a', '/run/netns/b', '/run/netns/c']) {
    for (const path of ['', ...namespaces]) this.kernel.addNamespace(path);
    for (const device of ['eth1', 'eth2']) this.kernel.create('', device, '');
  }

  /** Another process over what the last one left. */
  boot(settings: Partial<SupervisorSettings> = {}, descriptors?: Descriptors): Run {
    const dataplane = new FakeDataplane(this.kernel);
    const journal = new FakeJournal(this.files, this.changes);
    const devices = new FakeDevices(this.kernel, this.hardware);
    const lock = { acquire: () => {}, release: () => {} };
    const supervisor = new Supervisor(
      { dataplane, devices, stateDirectory: '/nowhere', node: 'node', ...settings },
      { journal, lock, ...(descriptors ? { descriptors } : {}) },
    );
    return { supervisor, dataplane, journal, devices };
  }

  async started(settings: Partial<SupervisorSettings> = {}): Promise<Run> {
    const run = this.boot(settings);
    await run.supervisor.start();
    return run;
  }

  /** Everything that exists, comparable; `run`: with what its engine holds. */
  snapshot(run?: Run): unknown {
    const interfaces = [...this.kernel.all().map(comparable).sort(), ...this.hardware.changed()];
    const journals = [...this.files].sort(byText).map(([name, text]) => {
      const { phase, wire, names, previous } = JSON.parse(text) as JournalRecord;
      return [name, phase, wire, names === undefined, previous === undefined];
    });
    const link = ({ request, tap }: { request: { kind: string }; tap?: FakeInterface }) =>
      tap ? `${tap.alias} ${tap.name}` : JSON.stringify(request);
    const engine =
      run &&
      [...run.dataplane.engineWires.values()].map((wire) => [link(wire.client), link(wire.endpoint)]).sort(byText);
    return { interfaces, journals, engine };
  }
}

const byText = (one: readonly string[], other: readonly string[]) => (one.join() < other.join() ? -1 : 1);

function comparable({ home, name, alias, kind, mac, mtu, up, uplink, ...one }: FakeInterface): string {
  const lists = [one.addresses, one.routes, one.neighbours, one.policies].map((list) =>
    list.map((value) => JSON.stringify(value)).sort(),
  );
  return JSON.stringify([home.inode, name, alias, kind, mac, mtu, up, uplink, lists]);
}

/** Throws at step `at`, counted from 1 over the data plane and the journal of a run; a cut, at every step from there. */
export function breakAt(run: Run, at: number, kind: 'failure' | 'cut'): { readonly happened: () => boolean } {
  let step = 0;
  const onStep = (name: string) => {
    if (kind === 'failure' && name.startsWith('(')) return;
    step++;
    if (kind === 'cut' && step >= at) throw new FakePowerCut(name);
    if (kind === 'failure' && step === at) throw new Error(`injected: ${name}`);
  };
  run.dataplane.onStep = onStep;
  run.devices.onStep = onStep;
  run.journal.onStep = onStep;
  return { happened: () => step >= at };
}

export function mend(run: Run): void {
  run.dataplane.onStep = () => {};
  run.journal.onStep = () => {};
  run.devices.onStep = () => {};
}

const [a, b, c] = ['/run/netns/a', '/run/netns/b', '/run/netns/c'] as const;
const client = kernel(a, 'nsm-1', {
  addresses: ['10.0.0.1/24', 'fd00::1/64'],
  routes: [{ to: '10.8.0.0/16', via: '10.0.0.2' }],
  neighbours: [{ address: '10.0.0.9', mac: '02:00:00:00:00:09' }],
});
const policies = [{ from: '10.0.0.0/24', protocol: 6, destinationPorts: '80-90', routes: [{ to: '0.0.0.0/0' }] }];
const ruled = { ...client, policies, allowPing: true };
const readdressed = { ...client, addresses: ['10.0.0.3/24'], mac: '02:00:00:00:00:33' };
const pair = (one: Mechanism, other: Mechanism, more: Partial<Wire> = {}) => wireOf(one, other, more);
const applicationMac = '02:00:00:00:00:42';
const bare = kernel(a, 'nsm-1', { addresses: ['10.0.0.1/24'] });
const packets = (one: Mechanism, other: Mechanism, more: Partial<Wire> = {}) =>
  pair(one, other, { payload: 'ip', ...more });

export const wires = {
  veth: pair(client, kernel(b, 'nsm-2', { addresses: ['10.0.0.2/24'] })),
  tap: pair(client, memif('/run/m.sock')),
  memif: pair(memif('/run/m.sock'), memif('/run/n.sock', { role: 'client' })),
  tunnel: pair(client, vxlan('192.0.2.2')),
  devices: pair({ ...client, device: { pci: '0000:01:10.0', vlan: 7 } }, kernel(b, 'nsm-2')),
  vfio: pair(vfio({ resource: 'worker.domain/10G', vlan: 7 }), kernel(b, 'nsm-2')),
  vlan: pair(client, vlan('eth1', 100)),
  port: pair({ ...client, device: { pci: '0000:01:10.0', vlan: 7 } }, memif('/run/m.sock', { mac: applicationMac })),
  vlanPort: pair(memif('/run/m.sock', { mac: applicationMac }), vlan('eth1', 100)),
  engineTunnel: pair(memif('/run/m.sock'), vxlan('192.0.2.2')),
  wireguard: packets(bare, wireguard('192.0.2.2')),
  engineWireguard: packets(memif('/run/m.sock'), wireguard('192.0.2.2')),
};

/** One of every kind of plan. */
export const changes: Record<string, readonly [from: Wire | undefined, to: Wire | undefined]> = {
  'create veth': [undefined, wires.veth],
  'create veth, payload ip': [undefined, { ...wires.veth, payload: 'ip' }],
  'create tap and engine wire': [undefined, wires.tap],
  'create tun and engine wire': [undefined, { ...wires.tap, payload: 'ip' }],
  'create engine wire': [undefined, wires.memif],
  'change addresses of veth': [wires.veth, pair(readdressed, wires.veth.endpoint.mechanism)],
  'add policies to veth': [wires.veth, pair(ruled, wires.veth.endpoint.mechanism)],
  'remove policies from veth': [pair(ruled, wires.veth.endpoint.mechanism), wires.veth],
  'change name of veth with policies': [
    pair(ruled, wires.veth.endpoint.mechanism),
    pair({ ...ruled, interface: 'other' }, wires.veth.endpoint.mechanism),
  ],
  'remove veth with policies': [pair(ruled, wires.veth.endpoint.mechanism), undefined],
  'change mtu of veth': [wires.veth, { ...wires.veth, mtu: 9000 }],
  'change name of veth': [wires.veth, pair({ ...client, interface: 'other' }, wires.veth.endpoint.mechanism)],
  'change mtu of tap': [wires.tap, { ...wires.tap, mtu: 9000 }],
  'change name and addresses of tap': [wires.tap, pair({ ...readdressed, interface: 'other' }, memif('/run/m.sock'))],
  'change metadata': [wires.veth, { ...wires.veth, labels: { app: 'web' } }],
  'another namespace of veth': [wires.veth, pair(client, kernel(c, 'nsm-2'))],
  'another namespace of both ends': [wires.veth, pair(kernel(b, 'nsm-2'), kernel(a, 'nsm-1'))],
  'another namespace of tap': [wires.tap, pair(kernel(c, 'nsm-1'), memif('/run/m.sock'))],
  'another memif': [wires.tap, pair(client, memif('/run/o.sock'))],
  'another memif of the same listener': [wires.tap, pair(client, memif('/run/m.sock', { rings: 2 }))],
  'another payload': [wires.tap, { ...wires.tap, payload: 'ip' }],
  'ends change sides': [wires.tap, pair(memif('/run/m.sock'), client)],
  'veth to engine': [wires.veth, wires.tap],
  'engine to veth': [wires.tap, wires.veth],
  'engine to direct': [wires.memif, { ...wires.memif, direct: true }],
  'direct to engine': [{ ...wires.memif, direct: true }, wires.memif],
  'another memif of a direct wire': [
    { ...wires.memif, direct: true },
    { ...pair(memif('/run/o.sock'), wires.memif.endpoint.mechanism), direct: true },
  ],
  'remove direct': [{ ...wires.memif, direct: true }, undefined],
  'memif to tap': [wires.memif, wires.tap],
  'tap to memif': [wires.tap, wires.memif],
  'create tunnel': [undefined, wires.tunnel],
  'change addresses and mtu of tunnel': [wires.tunnel, pair(readdressed, vxlan('192.0.2.2'), { mtu: 1300 })],
  'another VNI of tunnel': [wires.tunnel, pair(client, vxlan('192.0.2.2', { vni: 8 }))],
  'another remote of tunnel': [wires.tunnel, pair(client, vxlan('192.0.2.3'))],
  'another family of tunnel': [wires.tunnel, pair(client, vxlan('2001:db8::2', { local: '2001:db8::1' }))],
  'another namespace of tunnel': [wires.tunnel, pair(kernel(c, 'nsm-1'), vxlan('192.0.2.2'))],
  'ends of tunnel change sides': [wires.tunnel, pair(vxlan('192.0.2.2'), client)],
  'create memif to tunnel': [undefined, wires.engineTunnel],
  'another remote of memif to tunnel': [wires.engineTunnel, pair(memif('/run/m.sock'), vxlan('192.0.2.3'))],
  'another VNI of memif to tunnel': [wires.engineTunnel, pair(memif('/run/m.sock'), vxlan('192.0.2.2', { vni: 8 }))],
  'tunnel to memif to tunnel': [wires.tunnel, wires.engineTunnel],
  'memif to tunnel to tunnel': [wires.engineTunnel, wires.tunnel],
  'tap to memif to tunnel': [wires.tap, wires.engineTunnel],
  'remove memif to tunnel': [wires.engineTunnel, undefined],
  'veth to tunnel': [wires.veth, wires.tunnel],
  'tunnel to engine': [wires.tunnel, wires.tap],
  'remove tunnel': [wires.tunnel, undefined],
  'create devices': [undefined, wires.devices],
  'create vfio': [undefined, wires.vfio],
  'change addresses and mtu of devices': [
    wires.devices,
    pair({ ...readdressed, mac: undefined, device: { pci: '0000:01:10.0', vlan: 7 } }, kernel(b, 'nsm-2'), {
      mtu: 9000,
    }),
  ],
  'change name of devices': [
    wires.devices,
    pair({ ...wires.devices.client.mechanism, interface: 'other' } as Mechanism, kernel(b, 'nsm-2')),
  ],
  'another MAC of devices': [
    wires.devices,
    pair({ ...readdressed, device: { pci: '0000:01:10.0', vlan: 7 } }, kernel(b, 'nsm-2')),
  ],
  'another VLAN of devices': [
    wires.devices,
    pair({ ...client, device: { pci: '0000:01:10.0', vlan: 8 } }, kernel(b, 'nsm-2')),
  ],
  'another device': [
    wires.devices,
    pair(
      { ...client, device: { pci: '0000:01:10.4', vlan: 7 } },
      kernel(b, 'nsm-2', { device: { pci: '0000:01:10.2' } }),
    ),
  ],
  'another namespace of devices': [
    wires.devices,
    pair({ ...client, namespace: { netns: c }, device: { pci: '0000:01:10.0', vlan: 7 } }, kernel(b, 'nsm-2')),
  ],
  'devices change sides': [
    wires.devices,
    pair(kernel(b, 'nsm-2'), { ...client, device: { pci: '0000:01:10.0', vlan: 7 } }),
  ],
  'device to vfio': [wires.devices, pair(vfio({ pci: '0000:01:10.0', vlan: 7 }), kernel(b, 'nsm-2'))],
  'vfio to device': [wires.vfio, wires.devices],
  'another MAC of vfio': [
    wires.vfio,
    pair(vfio({ resource: 'worker.domain/10G', vlan: 7 }, { mac: '02:00:00:00:00:77' }), kernel(b, 'nsm-2')),
  ],
  'veth to devices': [wires.veth, wires.devices],
  'devices to veth': [wires.devices, wires.veth],
  'vfio to memif': [wires.vfio, wires.memif],
  'tunnel to devices': [wires.tunnel, wires.devices],
  'remove devices': [wires.devices, undefined],
  'remove vfio': [wires.vfio, undefined],
  'create a port of a device': [undefined, wires.port],
  'remove a port of a device': [wires.port, undefined],
  'another MAC of a port': [
    wires.port,
    pair(wires.port.client.mechanism, memif('/run/m.sock', { mac: '02:00:00:00:00:43' })),
  ],
  'another memif of a port': [
    wires.port,
    pair(wires.port.client.mechanism, memif('/run/o.sock', { mac: applicationMac })),
  ],
  'vfio to a port': [wires.vfio, wires.port],
  'tap to a port': [wires.tap, wires.port],
  'devices to a port': [wires.devices, wires.port],
  'create a port of a vlan': [undefined, wires.vlanPort],
  'another id of a port of a vlan': [
    wires.vlanPort,
    pair(memif('/run/m.sock', { mac: applicationMac }), vlan('eth1', 101)),
  ],
  'a port of a vlan to vlan': [wires.vlanPort, wires.vlan],
  'vlan to a port of a vlan': [wires.vlan, wires.vlanPort],
  'remove a port of a vlan': [wires.vlanPort, undefined],
  'create vlan': [undefined, wires.vlan],
  'create a part of a device': [undefined, pair(ruled, vlan('eth1', 0))],
  'change addresses and name of vlan': [
    wires.vlan,
    pair({ ...client, addresses: [], interface: 'other' }, vlan('eth1', 100)),
  ],
  'another MAC of vlan': [wires.vlan, pair(readdressed, vlan('eth1', 100))],
  'another id of vlan': [wires.vlan, pair(client, vlan('eth1', 101))],
  'another device of vlan': [wires.vlan, pair(client, vlan('eth2', 100))],
  'vlan without a tag': [wires.vlan, pair(client, vlan('eth1', 0))],
  'vlan with a tag': [pair(client, vlan('eth1', 0)), wires.vlan],
  'another namespace of vlan': [wires.vlan, pair(kernel(c, 'nsm-1'), vlan('eth1', 100))],
  'ends of vlan change sides': [wires.vlan, pair(vlan('eth1', 100), client)],
  'veth to vlan': [wires.veth, wires.vlan],
  'vlan to tunnel': [wires.vlan, wires.tunnel],
  'remove vlan with policies': [pair(ruled, vlan('eth1', 100)), undefined],
  'create wireguard': [undefined, wires.wireguard],
  'change addresses and mtu of wireguard': [
    wires.wireguard,
    packets({ ...bare, addresses: ['10.0.0.3/24'] }, wireguard('192.0.2.2'), { mtu: 1300 }),
  ],
  'another remote of wireguard': [wires.wireguard, packets(bare, wireguard('192.0.2.3'))],
  'another port of wireguard': [wires.wireguard, packets(bare, wireguard('192.0.2.2', { localPort: 51_821 }))],
  'another namespace of wireguard': [wires.wireguard, packets(kernel(c, 'nsm-1'), wireguard('192.0.2.2'))],
  'memif to wireguard to wireguard': [wires.engineWireguard, wires.wireguard],
  'wireguard to memif to wireguard': [wires.wireguard, wires.engineWireguard],
  'vxlan to wireguard': [wires.tunnel, wires.wireguard],
  'remove wireguard': [wires.wireguard, undefined],
  'remove veth': [wires.veth, undefined],
  'remove tap and engine wire': [wires.tap, undefined],
  'remove engine wire': [wires.memif, undefined],
};

export async function bring(run: Run, to: Wire | undefined): Promise<boolean> {
  if (!to) return (await run.supervisor.remove(['w']))[0]?.outcome === 'removed';
  const [report] = await run.supervisor.set('api', [to]);
  return report?.outcome !== 'failed';
}

export async function machineWith(wire: Wire | undefined): Promise<{ machine: Machine; run: Run }> {
  const machine = new Machine();
  const run = await machine.started();
  if (wire) await bring(run, wire);
  return { machine, run };
}
