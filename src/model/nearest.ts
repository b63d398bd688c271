// SPDX-License-Identifier: Apache-2.0
// Finds the known word that is nearest to a mistyped one, for "did you mean …?".

/** The edit distance between two words: Damerau-Levenshtein with swaps of adjacent characters. */
export function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number) => (rows[row] as number[])[column] as number;
  for (let row = 1; row <= a.length; row++) {
    rows.push([row]);
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let least = Math.min(at(row - 1, column) + 1, at(row, column - 1) + 1, at(row - 1, column - 1) + (same ? 0 : 1));
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) least = Math.min(least, at(row - 2, column - 2) + 1);
      (rows[row] as number[]).push(least);
    }
  }
  return at(a.length, b.length);
}

export function nearest(word: string, known: readonly string[]): string | undefined {
  const lower = word.slice(0, 64).toLowerCase();
  const tolerance = Math.max(1, Math.floor(lower.length / 3));
  let best: string | undefined;
  let bestDistance = tolerance + 1;
  for (const candidate of known) {
    const slips = distance(lower, candidate.toLowerCase());
    if (slips < bestDistance) [best, bestDistance] = [candidate, slips];
  }
  return best;
}
