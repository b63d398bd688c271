// SPDX-License-Identifier: Apache-2.0
// The guest itself: what all other tests of this folder rely on.
//   a ── VF 0 ──┐
//               ├── the switch of the first NIC ── back to back ── the second NIC ── c
//   b ── VF 1 ──┘

import { closeSync, openSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import test from 'ava';
import { Daemon } from '../support/daemon.ts';
import { Namespace } from '../support/namespace.ts';
import { eventually, run } from '../support/shell.ts';
import { kernelEnd, wireFile } from '../support/wires.ts';
import { bringUp, findLink, ip, link, reaches } from './support/links.ts';
import { firstNic, secondNic } from './support/physical-function.ts';

const made: Namespace[] = [];

async function namespace(label: string): Promise<Namespace> {
  const one = await Namespace.make(label);
  made.push(one);
  return one;
}

async function address(where: Namespace, name: string, prefix: string): Promise<void> {
  await ip(where, 'address', 'add', prefix, 'dev', name);
  await bringUp(name, where);
}

/** After the first frame has arrived, none may be lost. */
async function ping(from: Namespace, to: string): Promise<string> {
  await reaches(from, to);
  return from.run('ping', '-q', '-c', '3', '-i', '0.2', '-W', '20', to);
}

test.afterEach.always(async () => {
  for (const one of made.splice(0)) await one.remove();
  await firstNic.remove();
});

test.serial('VFs appear, each with the MAC address that its PF was told', async (t) => {
  const functions = await firstNic.make(2);
  t.deepEqual(
    functions.map(({ pci, driver }) => [pci, driver]),
    [
      ['0000:01:10.0', 'igbvf'],
      ['0000:01:10.2', 'igbvf'],
    ],
  );
  for (const vf of functions) t.is((await link(await vf.appears())).address, firstNic.macOf(vf.index));
  const seen = (await link(firstNic.interface)).vfinfo_list ?? [];
  t.deepEqual(
    seen.map((each) => each.address),
    [firstNic.macOf(0), firstNic.macOf(1)],
  );
});

test.serial('frames pass from VF to VF through the switch of the NIC, and out of it to the other NIC', async (t) => {
  const [a, b, c] = [await namespace('a'), await namespace('b'), await namespace('c')];
  const [first, second] = await firstNic.make(2);
  await ip(undefined, 'link', 'set', (await first?.appears()) ?? '', 'netns', a.name, 'name', 'vf');
  await ip(undefined, 'link', 'set', (await second?.appears()) ?? '', 'netns', b.name, 'name', 'vf');
  const outside = secondNic.interface;
  await ip(undefined, 'link', 'set', outside, 'netns', c.name);
  await address(a, 'vf', '10.9.0.1/24');
  await address(b, 'vf', '10.9.0.2/24');
  await address(c, outside, '10.9.0.3/24');
  const sent = (await link('vf', a)).stats64.tx.packets;
  t.regex(await ping(a, '10.9.0.2'), / 0% packet loss/);
  t.regex(await ping(a, '10.9.0.3'), / 0% packet loss/);
  await eventually('the VF counts what it sent', async () => (await link('vf', a)).stats64.tx.packets >= sent + 6);
});

test.serial('a VF returns to this namespace, under the name it had there, when its namespace dies', async (t) => {
  const a = await namespace('a');
  const [vf] = await firstNic.make(1);
  const before = (await vf?.appears()) ?? '';
  await ip(undefined, 'link', 'set', before, 'netns', a.name, 'name', 'in-pod');
  t.is(vf?.interface, undefined);
  await made.pop()?.remove();
  await eventually('it is back', async () => vf?.interface === 'in-pod');
});

test.serial('each VF is an IOMMU group of its own, and vfio gives it out', async (t) => {
  for (const vf of await firstNic.make(2, 'vfio-pci')) {
    t.is(vf.driver, 'vfio-pci');
    t.deepEqual(vf.companions, [vf.pci]);
    t.notThrows(() => closeSync(openSync(`/dev/vfio/${vf.iommuGroup}`, 'r+')));
  }
});

test.serial('netdevsim has VFs too, though only their attributes', async (t) => {
  await run('modprobe', 'netdevsim');
  const bus = '/sys/bus/netdevsim';
  await writeFile(`${bus}/new_device`, '1 1');
  try {
    const name = readdirSync(`${bus}/devices/netdevsim1/net`)[0] as string;
    await writeFile(`${bus}/devices/netdevsim1/sriov_numvfs`, '2');
    await run('ip', 'link', 'set', name, 'vf', '1', 'mac', '02:00:00:00:00:51', 'vlan', '7');
    const [, seen] = (await link(name)).vfinfo_list ?? [];
    t.is(seen?.address, '02:00:00:00:00:51');
    t.is(seen?.vlan_list?.[0]?.vlan, 7);
  } finally {
    await writeFile(`${bus}/del_device`, '1');
  }
});

test.serial('a VLAN carries frames between two namespaces', async (t) => {
  const [a, b] = [await namespace('a'), await namespace('b')];
  await ip(a, 'link', 'add', 'veth', 'type', 'veth', 'peer', 'name', 'veth', 'netns', b.name);
  for (const [where, prefix] of [[a, '10.9.1.1/24'] as const, [b, '10.9.1.2/24'] as const]) {
    await ip(where, 'link', 'add', 'link', 'veth', 'name', 'tagged', 'type', 'vlan', 'id', '100');
    await ip(where, 'link', 'set', 'veth', 'up');
    await ip(where, 'address', 'add', prefix, 'dev', 'tagged');
    await ip(where, 'link', 'set', 'tagged', 'up');
  }
  await bringUp('tagged', a);
  t.regex(await ping(a, '10.9.1.2'), / 0% packet loss/);
});

test.serial('the kernel makes WireGuard devices', async (t) => {
  const a = await namespace('a');
  await ip(a, 'link', 'add', 'wg', 'type', 'wireguard');
  t.is((await findLink('wg', a))?.linkinfo?.info_kind, 'wireguard');
});

test.serial('the daemon starts here and makes a wire that counts the frames it carries', async (t) => {
  const [a, b] = [await namespace('a'), await namespace('b')];
  const daemon = await Daemon.start();
  try {
    const client = kernelEnd(a, 'cw0', { addresses: ['10.9.2.1/24'] });
    const endpoint = kernelEnd(b, 'cw0', { addresses: ['10.9.2.2/24'] });
    await daemon.mustApply(wireFile({ name: 'here', client, endpoint }));
    await daemon.up('here');
    t.regex(await ping(a, '10.9.2.2'), / 0% packet loss/);
    await eventually('its frames are counted in both directions', async () => {
      const metrics = await daemon.metrics();
      const delivered = (end: string) => metrics.sum('crosswire_wire_tx_packets_total', { wire: 'here', end });
      return delivered('client') >= 3n && delivered('endpoint') >= 3n;
    });
  } finally {
    await daemon.destroy();
  }
});
