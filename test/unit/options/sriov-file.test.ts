// SPDX-License-Identifier: Apache-2.0
// NSM's SR-IOV file: its contents, and every mistake with line and column.

import test from 'ava';
import { parseSriovFile } from '../../../src/options/sriov-file.ts';
import { resourcesOf } from '../../../src/model/device-status.ts';
import type { CrosswireError } from '../../../src/model/error.ts';

const good = `---
physicalFunctions:
  01:00.0:
    pfKernelDriver: igb
    vfKernelDriver: igbvf
    capabilities: [intel, 10G]
    serviceDomains: [worker.domain, master.domain]
    virtualFunctions:
      - address: 0000:01:10.0
        iommuGroup: 10
  "0000:02:00.0": { pfKernelDriver: ice, vfKernelDriver: iavf, capabilities: ["100G"], serviceDomains: [worker.domain] }
`;

test('physical functions by their address in full, and the names of their resources', (t) => {
  const functions = parseSriovFile(good, 'sriov.yaml');
  t.deepEqual(
    functions.map(({ pci, pfKernelDriver, vfKernelDriver }) => [pci, pfKernelDriver, vfKernelDriver]),
    [
      ['0000:01:00.0', 'igb', 'igbvf'],
      ['0000:02:00.0', 'ice', 'iavf'],
    ],
  );
  t.deepEqual(resourcesOf(functions[0]!), [
    'worker.domain/intel',
    'worker.domain/10G',
    'master.domain/intel',
    'master.domain/10G',
  ]);
  for (const text of ['', '---\n', 'physicalFunctions:\n', 'physicalFunctions: {}\n'])
    t.deepEqual(parseSriovFile(text, 'f'), []);
});

const line = '{ pfKernelDriver: igb, vfKernelDriver: igbvf, capabilities: [a], serviceDomains: [b] }';
const bad: [title: string, text: string, code: string, subject: RegExp, reason: RegExp][] = [
  ['no YAML', 'physicalFunctions: {', 'YAML_BROKEN', /^f:1:/, /./],
  ['a key twice', `physicalFunctions:\n  01:00.0: ${line}\n  01:00.0: ${line}\n`, 'YAML_BROKEN', /^f:3:/, /unique/],
  ['a list', '- 1\n', 'VALUE_INVALID', /^f:1:1$/, /mapping/],
  ['an unknown key', 'physicalFunction: {}\n', 'KEY_UNKNOWN', /^f:1:1, physicalFunction$/, /unknown/],
  ['no address', `physicalFunctions:\n  eth0: ${line}\n`, 'VALUE_INVALID', /^f:2:3, .*eth0$/, /no PCI address/],
  [
    'one address twice',
    `physicalFunctions:\n  01:00.0: ${line}\n  0000:01:00.0: ${line}\n`,
    'VALUE_INVALID',
    /^f:1:1/,
    /0000:01:00\.0 twice/,
  ],
  ['a driver that is a path', good.replace('igbvf', '../x'), 'VALUE_INVALID', /^f:5:5, .*vfKernelDriver/, /driver/],
  ['no driver', good.replace('    pfKernelDriver: igb\n', ''), 'VALUE_INVALID', /pfKernelDriver$/, /driver/],
  ['no capability', good.replace('[intel, 10G]', '[]'), 'VALUE_INVALID', /^f:6:5, .*capabilities$/, /1 to 64 names/],
  ['a slash in a name', good.replace('[intel, 10G]', '[a/b]'), 'VALUE_INVALID', /capabilities$/, /names/],
  ['a number as a name', good.replace('[intel, 10G]', '[10]'), 'VALUE_INVALID', /capabilities$/, /names/],
  ['no service domain', good.replace('[worker.domain, master.domain]', 'x'), 'VALUE_INVALID', /^f:7:5/, /names/],
  ['too long', `#${'x'.repeat(1024 * 1024)}`, 'VALUE_INVALID', /^f:1:1$/, /longer/],
];

for (const [title, text, code, subject, reason] of bad)
  test(`refused: ${title}`, (t) => {
    const error = t.throws(() => parseSriovFile(text, 'f'), { instanceOf: AggregateError });
    const [first] = (error?.errors ?? []) as CrosswireError[];
    t.is(first?.code, code);
    t.regex(first?.subject ?? '', subject);
    t.regex(first?.reason ?? '', reason);
  });
