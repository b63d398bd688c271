// SPDX-License-Identifier: Apache-2.0
// Bad input: each row changes lines of one good file and names the errors that must come of it, with their exact lines.

import test from 'ava';
import { parseWireFile } from '../../../src/wire/wire-file.ts';

const good = [
  'apiVersion: crosswire.dev/v1alpha1', //                     1
  'kind: Wire',
  'metadata:',
  '  name: web',
  'spec:', //                                                  5
  '  payload: ethernet',
  '  client:',
  '    kernel:',
  '      netns: /run/netns/web',
  '      interface: eth1', //                                 10
  '      addresses: [10.9.0.1/24]',
  '      routes:',
  '        - { to: 10.8.0.0/16, via: 10.9.0.2 }',
  '      neighbours:',
  '        - { address: 10.9.0.2, mac: "02:00:00:00:00:02" }', // 15
  '  endpoint:',
  '    memif:',
  '      socket: /run/fw.sock',
  '      role: server',
  '      id: 0', //                                           20
];

type Expected = [code: string, subject: string, text: string];
interface Row {
  readonly title: string;
  /** Line number → its new text; a text of several lines moves those behind it. */
  readonly lines: Readonly<Record<number, string>>;
  readonly errors: readonly Expected[];
}

const client = 'spec.client.kernel';
const memif = 'spec.endpoint.memif';
const value = (subject: string, text: string): Expected => ['VALUE_INVALID', subject, text];

const rows: readonly Row[] = [
  {
    title: 'broken YAML: a bracket left open',
    lines: { 11: '      addresses: [10.9.0.1/24' },
    errors: [['YAML_BROKEN', 'w.yaml:12:7', 'Flow sequence']],
  },
  {
    title: 'broken YAML: a tab as indentation',
    lines: { 9: '\tnetns: /run/netns/web' },
    errors: [['YAML_BROKEN', 'w.yaml:9:1', 'Tabs']],
  },
  {
    title: 'a key given twice',
    lines: { 10: '      interface: eth1\n      interface: eth2' },
    errors: [['YAML_BROKEN', 'w.yaml:11:7', 'unique']],
  },
  {
    title: 'an unknown tag',
    lines: { 6: '  payload: !secret ethernet' },
    errors: [['YAML_BROKEN', 'w.yaml:6:12', '!secret']],
  },
  {
    title: 'an unknown key near a known one',
    lines: { 10: '      interfase: eth1' },
    errors: [
      ['KEY_MISSING', 'w.yaml:8:5, spec.client.kernel.interface', "'interface'"],
      ['KEY_UNKNOWN', 'w.yaml:10:7, spec.client.kernel.interfase', "did you mean 'interface'?"],
    ],
  },
  {
    title: 'an unknown key near none',
    lines: { 6: '  colour: red' },
    errors: [
      ['KEY_UNKNOWN', 'w.yaml:6:3, spec.colour', 'known here: networkService, payload, mtu, direct, client, endpoint'],
    ],
  },
  {
    title: 'two unknown keys are two errors',
    lines: { 6: '  paylod: ip\n  mut: 1500' },
    errors: [
      ['KEY_UNKNOWN', 'w.yaml:6:3, spec.paylod', "'payload'"],
      ['KEY_UNKNOWN', 'w.yaml:7:3, spec.mut', "'mtu'"],
    ],
  },
  {
    title: 'an unknown key in a list',
    lines: { 13: '        - { to: 10.8.0.0/16, vai: 10.9.0.2 }' },
    errors: [['KEY_UNKNOWN', `w.yaml:13:30, ${client}.routes[0].vai`, "'via'"]],
  },
  {
    title: 'two mechanisms in one end',
    lines: { 16: '    memif: { socket: "@x", role: client }\n  endpoint:' },
    errors: [['MECHANISM_COUNT', 'w.yaml:16:5, spec.client.memif', 'kernel and memif']],
  },
  {
    title: 'no mechanism',
    lines: { 17: '    pod: fw-0', 18: '    namespace: x', 19: '', 20: '' },
    errors: [['MECHANISM_COUNT', 'w.yaml:16:3, spec.endpoint', 'no mechanism']],
  },
  {
    title: 'an end without anything',
    lines: { 16: '  endpoint:', 17: '', 18: '', 19: '', 20: '' },
    errors: [value('w.yaml:16:12, spec.endpoint', 'has no value')],
  },
  {
    title: 'a wrong apiVersion',
    lines: { 1: 'apiVersion: crosswire.dev/v1' },
    errors: [value('w.yaml:1:13, apiVersion', "must be 'crosswire.dev/v1alpha1'")],
  },
  { title: 'a wrong kind', lines: { 2: 'kind: Pod' }, errors: [value('w.yaml:2:7, kind', "must be 'Wire'")] },
  { title: 'a missing kind', lines: { 2: '' }, errors: [['KEY_MISSING', 'w.yaml:1:1, kind', "'kind'"]] },
  {
    title: 'a name with capitals',
    lines: { 4: '  name: Web' },
    errors: [value('w.yaml:4:9, metadata.name', 'is no name')],
  },
  {
    title: 'a name that leaves its directory',
    lines: { 4: '  name: ../x' },
    errors: [value('w.yaml:4:9, metadata.name', 'is no name')],
  },
  {
    title: 'a name too long',
    lines: { 4: `  name: ${'a'.repeat(64)}` },
    errors: [value('w.yaml:4:9, metadata.name', '64 bytes, more than 63')],
  },
  {
    title: 'a name that YAML reads as a number',
    lines: { 4: '  name: 12' },
    errors: [value('w.yaml:4:9, metadata.name', 'put it in quotes')],
  },
  {
    title: 'a wrong payload',
    lines: { 6: '  payload: ethrnet' },
    errors: [value('w.yaml:6:12, spec.payload', "did you mean 'ethernet'?")],
  },
  { title: 'an MTU too small', lines: { 6: '  mtu: 67' }, errors: [value('w.yaml:6:8, spec.mtu', 'less than 68')] },
  { title: 'an MTU too big', lines: { 6: '  mtu: 65522' }, errors: [value('w.yaml:6:8, spec.mtu', 'more than 65521')] },
  {
    title: 'an MTU that is no number',
    lines: { 6: '  mtu: big' },
    errors: [value('w.yaml:6:8, spec.mtu', 'must be a whole number')],
  },
  {
    title: 'an MTU that is no whole number',
    lines: { 6: '  mtu: 1500.5' },
    errors: [value('w.yaml:6:8, spec.mtu', 'must be a whole number')],
  },
  {
    title: 'an MTU too small for IPv6',
    lines: { 6: '  mtu: 1279', 11: '      addresses: ["fd00::1/64"]', 13: '        - { to: 10.8.0.0/16 }' },
    errors: [value('w.yaml:6:8, spec.mtu', 'at least 1280')],
  },
  {
    title: 'an interface name of 16 bytes',
    lines: { 10: '      interface: abcdefghijklmnop' },
    errors: [value(`w.yaml:10:18, ${client}.interface`, '16 bytes; the kernel takes at most 15')],
  },
  {
    title: 'an interface name of 8 characters and 16 bytes',
    lines: { 10: '      interface: éééééééé' },
    errors: [value(`w.yaml:10:18, ${client}.interface`, '16 bytes')],
  },
  {
    title: 'an interface name with a slash',
    lines: { 10: '      interface: a/b' },
    errors: [value(`w.yaml:10:18, ${client}.interface`, 'holds "/"')],
  },
  {
    title: 'an interface name with a space',
    lines: { 10: '      interface: a b' },
    errors: [value(`w.yaml:10:18, ${client}.interface`, 'holds " "')],
  },
  {
    title: 'an interface name with a colon',
    lines: { 10: '      interface: eth0:1' },
    errors: [value(`w.yaml:10:18, ${client}.interface`, 'holds ":"')],
  },
  {
    title: 'an interface name that the kernel would number',
    lines: { 10: '      interface: eth%d' },
    errors: [value(`w.yaml:10:18, ${client}.interface`, 'holds "%"')],
  },
  {
    title: 'an interface called ..',
    lines: { 10: '      interface: ..' },
    errors: [value(`w.yaml:10:18, ${client}.interface`, 'directory')],
  },
  {
    title: 'an interface called all',
    lines: { 10: '      interface: all' },
    errors: [value(`w.yaml:10:18, ${client}.interface`, 'reserved')],
  },
  {
    title: 'an empty interface name',
    lines: { 10: '      interface: ""' },
    errors: [value(`w.yaml:10:18, ${client}.interface`, 'is empty')],
  },
  {
    title: 'no namespace',
    lines: { 9: '' },
    errors: [['KEY_MISSING', `w.yaml:8:5, ${client}`, 'give netns, pid or inode']],
  },
  {
    title: 'two namespaces',
    lines: { 9: '      netns: /run/netns/web\n      pid: 12' },
    errors: [value(`w.yaml:10:7, ${client}.pid`, 'second network namespace beside netns')],
  },
  {
    title: 'a relative netns',
    lines: { 9: '      netns: web' },
    errors: [value(`w.yaml:9:14, ${client}.netns`, 'no absolute path')],
  },
  { title: 'a pid of 0', lines: { 9: '      pid: 0' }, errors: [value(`w.yaml:9:12, ${client}.pid`, 'less than 1')] },
  {
    title: 'an inode that is a text',
    lines: { 9: '      inode: "4026532526"' },
    errors: [value(`w.yaml:9:14, ${client}.inode`, 'must be a whole number')],
  },
  {
    title: 'an address without prefix',
    lines: { 11: '      addresses: [10.9.0.1]' },
    errors: [value(`w.yaml:11:19, ${client}.addresses[0]`, 'like 10.9.0.1/24')],
  },
  {
    title: 'an address with a prefix too long',
    lines: { 11: '      addresses: [10.9.0.1/33]' },
    errors: [value(`w.yaml:11:19, ${client}.addresses[0]`, 'no address')],
  },
  {
    title: 'the second address is bad',
    lines: { 11: '      addresses:\n        - 10.9.0.1/24\n        - fd00:::1/64' },
    errors: [value(`w.yaml:13:11, ${client}.addresses[1]`, 'no address')],
  },
  {
    title: 'a multicast address',
    lines: { 11: '      addresses: [224.0.0.1/4]' },
    errors: [value(`w.yaml:11:19, ${client}.addresses[0]`, 'multicast')],
  },
  {
    title: 'the same address twice, written differently',
    lines: { 11: '      addresses: ["fd00::1/64", "fd00:0::1/64"]' },
    errors: [value(`w.yaml:11:33, ${client}.addresses[1]`, 'twice')],
  },
  {
    title: 'addresses that are no list',
    lines: { 11: '      addresses: 10.9.0.1/24' },
    errors: [value(`w.yaml:11:18, ${client}.addresses`, 'must be a list')],
  },
  {
    title: 'a route with host bits',
    lines: { 13: '        - { to: 10.8.0.1/16, via: 10.9.0.2 }' },
    errors: [value(`w.yaml:13:17, ${client}.routes[0].to`, 'the network is 10.8.0.0/16')],
  },
  {
    title: 'a gateway of the wrong family',
    lines: { 13: '        - { to: 10.8.0.0/16, via: "fd00::2" }' },
    errors: [value(`w.yaml:13:35, ${client}.routes[0].via`, 'IPv6 gateway for the IPv4 network')],
  },
  {
    title: 'a gateway with a prefix',
    lines: { 13: '        - { to: 10.8.0.0/16, via: 10.9.0.2/24 }' },
    errors: [value(`w.yaml:13:35, ${client}.routes[0].via`, 'leave out the prefix')],
  },
  {
    title: 'a bad MAC address',
    lines: { 10: '      interface: eth1\n      mac: 02:00:00:00:00' },
    errors: [value(`w.yaml:11:12, ${client}.mac`, 'no MAC address')],
  },
  {
    title: 'a multicast MAC address',
    lines: { 10: '      interface: eth1\n      mac: 01:00:5e:00:00:01' },
    errors: [value(`w.yaml:11:12, ${client}.mac`, 'multicast')],
  },
  {
    title: "a neighbour's bad MAC address",
    lines: { 15: '        - { address: 10.9.0.2, mac: zz }' },
    errors: [value(`w.yaml:15:37, ${client}.neighbours[0].mac`, 'no MAC address')],
  },
  {
    title: 'a socket path of 108 bytes',
    lines: { 18: `      socket: /${'s'.repeat(107)}` },
    errors: [value(`w.yaml:18:15, ${memif}.socket`, '108 bytes; the kernel takes at most 107')],
  },
  {
    title: 'an abstract name without a name',
    lines: { 18: '      socket: "@"' },
    errors: [value(`w.yaml:18:15, ${memif}.socket`, "needs a name behind '@'")],
  },
  {
    title: 'a relative socket path',
    lines: { 18: '      socket: fw.sock' },
    errors: [value(`w.yaml:18:15, ${memif}.socket`, "'@name'")],
  },
  { title: 'no role', lines: { 19: '' }, errors: [['KEY_MISSING', `w.yaml:17:5, ${memif}.role`, "'role'"]] },
  {
    title: 'a wrong role',
    lines: { 19: '      role: master' },
    errors: [value(`w.yaml:19:13, ${memif}.role`, "'server' or 'client'")],
  },
  {
    title: 'a namespace for a socket that is a path',
    lines: { 20: '      netns: /run/netns/fw' },
    errors: [value(`w.yaml:20:7, ${memif}.netns`, 'only an abstract socket')],
  },
  {
    title: 'an inode for a socket that is a path',
    lines: { 20: '      inode: 4026532526' },
    errors: [value(`w.yaml:20:7, ${memif}.inode`, 'only an abstract socket')],
  },
  {
    title: 'an id too big',
    lines: { 20: '      id: 4294967296' },
    errors: [value(`w.yaml:20:11, ${memif}.id`, 'more than 4294967295')],
  },
  {
    title: 'a secret too long',
    lines: { 20: `      secret: ${'s'.repeat(24)}` },
    errors: [value(`w.yaml:20:15, ${memif}.secret`, '24 bytes')],
  },
  {
    title: 'a MAC address where there is no link layer',
    lines: { 6: '  payload: ip', 10: '      interface: eth1\n      mac: 02:00:00:00:00:01' },
    errors: [value(`w.yaml:11:7, ${client}.mac`, 'no MAC address')],
  },
  {
    title: 'no rings',
    lines: { 20: '      rings: 0' },
    errors: [value(`w.yaml:20:14, ${memif}.rings`, 'less than 1')],
  },
  {
    title: 'a ring size that is no power of two',
    lines: { 20: '      ringSize: 1000' },
    errors: [value(`w.yaml:20:17, ${memif}.ringSize`, 'no power of two')],
  },
  {
    title: 'a ring size over 16384',
    lines: { 20: '      ringSize: 32768' },
    errors: [value(`w.yaml:20:17, ${memif}.ringSize`, 'more than 16384')],
  },
  {
    title: 'a buffer size too big',
    lines: { 20: '      bufferSize: 65536' },
    errors: [value(`w.yaml:20:19, ${memif}.bufferSize`, 'more than 65535')],
  },
  {
    title: 'allowUnsealed as a word',
    lines: { 20: '      allowUnsealed: yes' },
    errors: [value(`w.yaml:20:22, ${memif}.allowUnsealed`, 'true or false')],
  },
  {
    title: 'more buffers than a peer can number',
    lines: { 19: '      role: client', 20: '      rings: 8\n      ringSize: 8192' },
    errors: [value(`w.yaml:20:14, ${memif}.rings`, '131072 buffers')],
  },
  {
    title: 'a wire to itself, kernel',
    lines: { 17: '    kernel:', 18: '      netns: /run/netns/web', 19: '      interface: eth1', 20: '' },
    errors: [['WIRE_TO_ITSELF', 'w.yaml:16:3, spec.endpoint', 'itself']],
  },
  {
    title: 'a wire to itself, memif, in two roles',
    lines: {
      8: '    memif: { socket: /run/fw.sock, role: client }',
      9: '',
      10: '',
      11: '',
      12: '',
      13: '',
      14: '',
      15: '',
    },
    errors: [['WIRE_TO_ITSELF', 'w.yaml:16:3, spec.endpoint', 'itself']],
  },
  {
    title: 'a control character in a pod name',
    lines: { 17: '    pod: "a\\nb"\n    memif:' },
    errors: [value('w.yaml:17:10, spec.endpoint.pod', 'control character')],
  },
  {
    title: 'a label that is no text',
    lines: { 4: '  name: web\n  labels: { a: 1 }' },
    errors: [value('w.yaml:5:16, metadata.labels.a', 'put it in quotes')],
  },
  {
    title: 'a list instead of a wire',
    lines: Object.fromEntries(good.map((_, i) => [i + 1, i === 0 ? '- a' : ''])),
    errors: [value('w.yaml:1:1', 'must be a mapping of keys, not a list')],
  },
  {
    title: 'every error of a file is reported',
    lines: {
      2: 'kind: Wyre',
      6: '  paylaod: ip',
      10: '      interface: a/b',
      13: '        - { to: 10.8.0.0/16, via: "fd00::2" }',
      20: '      ringSize: 3',
    },
    errors: [
      value('w.yaml:2:7, kind', "'Wire'"),
      value(`w.yaml:10:18, ${client}.interface`, 'holds'),
      value(`w.yaml:20:17, ${memif}.ringSize`, 'power of two'),
      ['KEY_UNKNOWN', 'w.yaml:6:3, spec.paylaod', "'payload'"],
      value(`w.yaml:13:35, ${client}.routes[0].via`, 'gateway'),
    ],
  },
];

const withLines = (lines: Row['lines']): string => good.map((line, index) => lines[index + 1] ?? line).join('\n');

test('the good file is good', (t) => {
  t.deepEqual(parseWireFile(withLines({}), 'w.yaml').errors, []);
});

for (const { title, lines, errors } of rows)
  test(title, (t) => {
    const result = parseWireFile(withLines(lines), 'w.yaml');
    t.deepEqual(
      result.errors.map(({ code, subject }) => [code, subject]),
      errors.map(([code, subject]) => [code, subject]),
    );
    t.deepEqual(result.wires, []);
    for (const [index, [, , text]] of errors.entries())
      t.true(result.errors[index]?.message.includes(text), `${result.errors[index]?.message} ∌ ${text}`);
  });

test('a name used twice names both places', (t) => {
  const text = `${withLines({})}\n---\n${withLines({ 10: '      interface: eth2', 20: '      id: 1' })}`;
  const { errors } = parseWireFile(text, 'w.yaml');
  t.like(errors, { length: 1, 0: { code: 'DUPLICATE_NAME', subject: 'w.yaml:25:3, metadata.name' } });
  t.true(errors[0]?.reason.endsWith('w.yaml:4'));
});

test('an interface and a memif id belong to one wire', (t) => {
  const { errors } = parseWireFile(`${withLines({})}\n---\n${withLines({ 4: '  name: other' })}`, 'w.yaml');
  t.deepEqual(
    errors.map(({ code, subject }) => [code, subject]),
    [
      ['INTERFACE_CLAIMED', 'w.yaml:29:5, spec.client.kernel'],
      ['MEMIF_CLAIMED', 'w.yaml:38:5, spec.endpoint.memif'],
    ],
  );
});

test('of one memif id, one wire can be the server and another one the client', (t) => {
  const other = { 4: '  name: other', 10: '      interface: eth2', 19: '      role: client' };
  t.deepEqual(parseWireFile(`${withLines({})}\n---\n${withLines(other)}`, 'w.yaml').errors, []);
});
