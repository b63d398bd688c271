// SPDX-License-Identifier: Apache-2.0
// The check of words finds what lost in comments and documents, and leaves code alone.

import test from 'ava';
import { wordProblems } from '../../../scripts/checks/word-list.ts';

test('a document is checked on every line, with the word to use', (t) => {
  t.deepEqual(wordProblems('docs/a.md', 'fine\nthe endpoint of before\n'), ["docs/a.md:2: 'of before': say previous"]);
  t.is(wordProblems('README.md', 'a vWire, and the kernel has once').length, 2);
});

test('of code only the comments are checked, in every form', (t) => {
  const forms = [
    '// waits for ever',
    '  /** Waits for ever. */',
    ' *  for ever',
    'run(); // for ever',
    'run # for ever',
  ];
  for (const text of forms) t.is(wordProblems('src/a.ts', text).length, 1, text);
  t.deepEqual(wordProblems('src/a.ts', "const holdings = 'lasts for ever';"), []);
});

test('a word that only contains one is another word', (t) => {
  t.deepEqual(wordProblems('docs/a.md', 'recommended, amendment, beforehand, the wires, withholdings'), []);
});

test('a room that moved is found, a path of the system is not', (t) => {
  t.is(wordProblems('src/a.ts', '// see config/run-options.ts, src/host/marks.ts').length, 1);
  t.deepEqual(wordProblems('src/a.ts', '// /host/dev/vfio, test/kubelet/peer, src/options/run-options.ts'), []);
});
