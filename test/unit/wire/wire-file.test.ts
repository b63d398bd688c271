// SPDX-License-Identifier: Apache-2.0

import test from 'ava';
import { readDocument, toDocument } from '../../../src/wire/wire-document.ts';
import { parseWireFile } from '../../../src/wire/wire-file.ts';
import { parseWireList } from '../../../src/wire/wire-list.ts';
import { namespaceOf } from '../../../src/wire/wire.ts';

const issueExample = `apiVersion: crosswire.dev/v1alpha1
kind: Wire
metadata: { name: web-to-fw, labels: { app: web } }
spec:
  networkService: secure-web      # optional
  payload: ethernet               # or ip
  mtu: 1500                       # optional
  client:
    kernel: { netns: /run/netns/web, interface: nsm-1, addresses: [10.9.0.1/24, "fd09::1/64"], routes: [{ to: 10.8.0.0/16, via: 10.9.0.2 }] }
    pod: web-0
    namespace: shop
  endpoint:
    memif: { socket: /run/fw/memif.sock, role: server, id: 0 }
    pod: fw-0
    namespace: security
`;

test('the documented example reads as a wire with every default filled in', (t) => {
  const { wires, errors } = parseWireFile(issueExample, 'wires.yaml');
  t.deepEqual(errors, []);
  t.deepEqual(wires, [
    {
      name: 'web-to-fw',
      labels: { app: 'web' },
      networkService: 'secure-web',
      payload: 'ethernet',
      mtu: 1500,
      client: {
        mechanism: {
          type: 'kernel',
          namespace: { netns: '/run/netns/web' },
          interface: 'nsm-1',
          addresses: ['10.9.0.1/24', 'fd09::1/64'],
          routes: [{ to: '10.8.0.0/16', via: '10.9.0.2' }],
          neighbours: [],
        },
        pod: 'web-0',
        namespace: 'shop',
      },
      endpoint: {
        mechanism: {
          type: 'memif',
          socket: '/run/fw/memif.sock',
          role: 'server',
          id: 0,
          rings: 1,
          ringSize: 1024,
          bufferSize: 2048,
          allowUnsealed: false,
        },
        pod: 'fw-0',
        namespace: 'security',
      },
    },
  ]);
  t.true(Object.isFrozen(wires[0]?.client.mechanism));
});

test('an abstract socket is found by an inode, and a path to look at first', (t) => {
  const text = issueExample.replace('/run/fw/memif.sock', '"@fw", inode: 4026532526, netns: /proc/self/fd/9');
  const [wire] = parseWireFile(text, 'wires.yaml').wires;
  if (wire === undefined) return t.fail();
  t.like(wire.endpoint.mechanism, { socket: '@fw', inode: 4026532526, netns: '/proc/self/fd/9' });
  t.deepEqual(namespaceOf(wire.endpoint), { inode: 4026532526, netns: '/proc/self/fd/9' });
  t.deepEqual(readDocument(JSON.parse(JSON.stringify(toDocument(wire)))), { wire, problems: [] });
});

test('policies and ping read in one form, and survive the way through their document', (t) => {
  const policies = '[{ from: "FD00:0::/64", protocol: 6, destinationPorts: 080-80, routes: [{ to: "::/0" }] }]';
  const text = issueExample.replace('interface: nsm-1', `interface: nsm-1, allowPing: true, policies: ${policies}`);
  const { wires, errors } = parseWireFile(text, 'wires.yaml');
  t.deepEqual(errors, []);
  const [wire] = wires;
  if (wire === undefined) return t.fail();
  const policy = { from: 'fd00::/64', protocol: 6, destinationPorts: '80', routes: [{ to: '::/0' }] };
  t.like(wire.client.mechanism, { allowPing: true, policies: [policy] });
  t.deepEqual(readDocument(JSON.parse(JSON.stringify(toDocument(wire)))), { wire, problems: [] });
});

test('a wire survives the way through its document', (t) => {
  const [wire] = parseWireFile(issueExample, 'wires.yaml').wires;
  if (wire === undefined) return t.fail();
  t.deepEqual(readDocument(JSON.parse(JSON.stringify(toDocument(wire)))), { wire, problems: [] });
});

test('addresses come out in the form in which the kernel prints them', (t) => {
  const text = issueExample
    .replace('"fd09::1/64"', '"FD09:0:0::0001/064"')
    .replace('interface: nsm-1', 'interface: nsm-1, mac: 02:AA:00:00:00:01');
  const mechanism = parseWireFile(text, 'wires.yaml').wires[0]?.client.mechanism;
  t.like(mechanism, { addresses: { 1: 'fd09::1/64' }, mac: '02:aa:00:00:00:01' });
});

test('several documents, empty ones and comments between them', (t) => {
  const text = `# first\n---\n${issueExample}---\n---\n# nothing\n---\n${issueExample
    .replace('web-to-fw', 'second')
    .replace('nsm-1', 'nsm-2')
    .replace('id: 0', 'id: 1')}`;
  const { wires, errors } = parseWireFile(text, 'wires.yaml');
  t.deepEqual(errors, []);
  t.deepEqual(
    wires.map((wire) => wire.name),
    ['web-to-fw', 'second'],
  );
});

test('an empty file has no wires and no errors', (t) => {
  t.deepEqual(parseWireFile('', 'wires.yaml'), { wires: [], errors: [] });
  t.deepEqual(parseWireFile('# only a comment\n', 'wires.yaml'), { wires: [], errors: [] });
});

test('aliases that would explode are refused', (t) => {
  const levels = Array.from({ length: 12 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(',')}]`);
  const { wires, errors } = parseWireFile(`l0: &l0 [x]\n${levels.join('\n')}\n`, 'bomb.yaml');
  t.deepEqual(wires, []);
  t.like(errors, { length: 1, 0: { code: 'YAML_BROKEN', subject: 'bomb.yaml:1:1' } });
});

test('JSON documents have the same errors, with the JSON path as their subject', async (t) => {
  const { wires, errors } = await parseWireList([
    { apiVersion: 'crosswire.dev/v1alpha1', kind: 'Wire', metadata: { name: 'a' }, spec: 3 },
    null,
  ]);
  t.deepEqual(wires, []);
  t.deepEqual(
    errors.map(({ code, subject }) => [code, subject]),
    [
      ['VALUE_INVALID', 'wires[0].spec'],
      ['VALUE_INVALID', 'wires[1]'],
    ],
  );
});

test('a document that names __proto__ changes no prototype', async (t) => {
  const { errors } = await parseWireList([JSON.parse('{"__proto__": {"polluted": 1}}')]);
  t.true(errors.length > 0);
  t.is(({} as Record<string, unknown>)['polluted'], undefined);
});
