// SPDX-License-Identifier: Apache-2.0
// Restoring the names of interfaces, with a fake kernel in which a name belongs to one interface at a time.

import test from 'ava';
import type { Borrowing } from '../../../src/machine/sriov/borrowing.ts';
import { restoreInterface } from '../../../src/machine/sriov/restore-interface.ts';
import { CrosswireError } from '../../../src/model/error.ts';

interface Interface {
  name: string;
  mac: string;
  mtu: number;
  up: boolean;
}

const facts = { mac: '02:00:00:00:00:01', mtu: 1500, up: false };

/** `names`: PCI address → present name of the interface. */
function kernel(names: Readonly<Record<string, string>>) {
  const interfaces = new Map(
    Object.entries(names).map(([pci, name]): [string, Interface] => [pci, { name, ...facts }]),
  );
  const find = (name: string) => [...interfaces.values()].find((one) => one.name === name);
  const sysfs = { netdevOf: async (pci: string) => interfaces.get(pci)?.name };
  const dataplane = {
    listInterfaces: async ({ names: asked }: { names: readonly string[] }) => asked.flatMap((name) => find(name) ?? []),
    changeInterface: async ({ name, rename, mtu }: { name: string; rename?: string; mtu?: number }) => {
      const one = find(name);
      if (!one) throw refusal('INTERFACE_MISSING', name);
      if (rename !== undefined && find(rename)) throw refusal('INTERFACE_EXISTS', rename);
      one.name = rename ?? one.name;
      one.mtu = mtu ?? one.mtu;
    },
  };
  const parts = { sysfs, dataplane } as unknown as Pick<Borrowing, 'sysfs' | 'dataplane'>;
  const restore = (pci: string, name: string, mtu = 1500) =>
    restoreInterface(parts, pci, { name, ...facts, mtu, ownMac: false });
  return { interfaces, restore };
}

const refusal = (code: string, subject: string) =>
  new CrosswireError({ code, operation: 'change the interface', subject, reason: 'refused' });

test('three that came back at once, each under the name of the next', async (t) => {
  const { interfaces, restore } = kernel({ '0000:01:10.0': 'eth6', '0000:02:10.0': 'eth7', '0000:02:10.2': 'eth2' });
  await Promise.all([
    restore('0000:01:10.0', 'eth2'),
    restore('0000:02:10.0', 'eth6'),
    restore('0000:02:10.2', 'eth7', 1400),
  ]);
  t.deepEqual(
    [...interfaces.values()].map(({ name, mtu }) => [name, mtu]),
    [
      ['eth2', 1500],
      ['eth6', 1500],
      ['eth7', 1400],
    ],
  );
});

test('a name that another has, and keeps: that is the error, after a while', async (t) => {
  const { restore } = kernel({ '0000:01:10.0': 'eth6', '0000:02:00.0': 'eth2' });
  await t.throwsAsync(restore('0000:01:10.0', 'eth2'), { code: 'INTERFACE_EXISTS' });
});

test('what is as it was is left alone; what has no interface is an error', async (t) => {
  const { interfaces, restore } = kernel({ '0000:01:10.0': 'eth2' });
  await restore('0000:01:10.0', 'eth2');
  t.is(interfaces.get('0000:01:10.0')?.name, 'eth2');
  await t.throwsAsync(restore('0000:01:10.2', 'eth3'), { message: /made no interface/ });
});
