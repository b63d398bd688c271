// SPDX-License-Identifier: Apache-2.0
// The table of mechanisms holds what it promises.

import test from 'ava';
import { z } from 'zod';
import { kindOf, mechanisms, mechanismTypes } from '../../../src/wire/mechanisms/index.ts';
import { canonicalAddress } from '../../../src/wire/values/addresses.ts';
import { type EndDocument, readDocument, toDocument } from '../../../src/wire/wire-document.ts';
import type { Wire } from '../../../src/wire/wire.ts';

const kernel = { netns: '/run/netns/a', interface: 'eth1', addresses: ['10.0.0.1/24'] };
const keys = ['AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=', 'OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk='];
/** The least that each needs. */
const least: Required<Omit<EndDocument, 'pod' | 'namespace'>> = {
  kernel: { ...kernel, interface: 'eth2' },
  memif: { socket: '@m', role: 'server' },
  vxlan: { local: '192.0.2.1', remote: '192.0.2.2', vni: 6 },
  vlan: { device: 'eth0', id: 7 },
  vfio: { device: { pci: '0000:01:10.0' } },
  wireguard: { remote: '192.0.2.2', privateKey: keys[0] as string, publicKey: keys[1] as string },
};

function read(type: keyof typeof least): Wire {
  const payload = type === 'wireguard' ? ('ip' as const) : ('ethernet' as const);
  const spec = { payload, client: { kernel }, endpoint: { [type]: least[type] } };
  const reading = readDocument({ apiVersion: 'crosswire.dev/v1alpha1', kind: 'Wire', metadata: { name: 'w' }, spec });
  if (!('wire' in reading)) throw new Error(JSON.stringify(reading.problems));
  return reading.wire;
}

for (const type of mechanismTypes) {
  test(`${type}: a wire is what its schema says, and its document reads as the same wire`, (t) => {
    const wire = read(type);
    const { mechanism } = wire.endpoint;
    const kind = kindOf(mechanism);
    t.is(kind.type, type);
    t.deepEqual(kind.wired.parse(mechanism), mechanism as never);
    t.deepEqual(readDocument(JSON.parse(JSON.stringify(toDocument(wire)))), { wire, problems: [] });
  });

  test(`${type}: a record that lacks a key that every wire has is none`, (t) => {
    const { mechanism } = read(type).endpoint;
    for (const key of Object.keys(mechanism)) {
      if (mechanisms[type].wired.shape[key] instanceof z.ZodOptional) continue;
      const { [key as 'type']: _, ...rest } = mechanism;
      t.false(mechanisms[type].wired.safeParse(rest).success, key);
    }
  });

  test(`${type}: every parameter has a role, and every secret is a parameter`, (t) => {
    const { wired, parameters, secrets } = mechanisms[type];
    const all = Object.keys(wired.shape).filter((key) => key !== 'type');
    t.deepEqual(Object.keys(parameters).toSorted(), all.toSorted());
    t.true(secrets.every((key) => all.includes(key)));
  });
}

test('addresses are written as the kernel writes them', (t) => {
  for (const [text, canonical] of [
    ['10.0.0.1/024', '10.0.0.1/24'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['::FFFF:1.2.3.4/128', '::ffff:1.2.3.4/128'],
    ['::ffff:102:304', '::ffff:1.2.3.4'],
    ['nonsense', 'nonsense'],
  ] as const)
    t.is(canonicalAddress(text), canonical);
});
