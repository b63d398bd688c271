// SPDX-License-Identifier: Apache-2.0
// Words and phrases that comments and documents do not use, each with the one to use (docs/decisions/024-words.md).

interface Lost {
  readonly phrase: RegExp;
  readonly better: string;
}

const lost: readonly Lost[] = [
  // One word for one thing.
  { phrase: /\bv-?wires?\b/i, better: 'wire' },
  {
    phrase: /(?<![\w/.-])(src\/)?(config|host|kubelet|nsm\/(identity|transport|service|client|local))\//,
    better: 'the new room (001-rooms.md)',
  },
  { phrase: /\bholdings\b/i, better: 'lease' },
  { phrase: /\b(take|takes|taken|taking|come|comes|came|go|goes|brought) home\b/i, better: 'give back, restore' },
  // Circumlocutions.
  { phrase: /\bof before\b/i, better: 'previous' },
  { phrase: /\bof then\b/i, better: 'earlier, or the date' },
  { phrase: /\bno second of\b|\b(has|have) once\b/i, better: 'unique' },
  { phrase: /\bbut for tests\b/i, better: 'except in tests' },
  { phrase: /\bby turns\b/i, better: 'in turn' },
  { phrase: /\bto and fro\b/i, better: 'back and forth' },
  { phrase: /\bwithout a word\b/i, better: 'silently' },
  { phrase: /\b(held|holds|hold) against\b/i, better: 'compared with, checked against' },
  { phrase: /\b(to|can|cannot) be had\b/i, better: 'available' },
  // Words that are out of use.
  { phrase: /\bfor ever\b/i, better: 'forever' },
  { phrase: /\blest\b/i, better: 'so that … not' },
  { phrase: /\bmend(s|ed|ing)?\b/i, better: 'fix, repair' },
];

/** Where a comment begins in a line of code: //, /*, the * of a longer comment, or the # of a script. */
const comment = /(?:\/\/|\/\*|^\s*\*|^\s*#|\s#\s)(.*)$/;

/** The problems in a file: all of a document, but only the comments of code. */
export function wordProblems(file: string, text: string): string[] {
  const isDocument = file.endsWith('.md');
  return text.split('\n').flatMap((line, at) => {
    const prose = isDocument ? line : (comment.exec(line)?.[1] ?? '');
    return lost.flatMap(({ phrase, better }) => {
      const [found] = phrase.exec(prose) ?? [];
      return found === undefined ? [] : [`${file}:${at + 1}: '${found}': say ${better}`];
    });
  });
}
