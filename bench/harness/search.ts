// SPDX-License-Identifier: Apache-2.0
// Searches the highest rate without loss as in RFC 2544, section 26.1: each trial halves the interval between a rate that was
// carried and one that was not.

export interface RateTrial {
  readonly offered: number;
  readonly lost: number;
  readonly sent: number;
}

/** RFC 2544 allows no loss, but on a shared machine other processes always cost a few frames. */
export const toleratedLoss = 0.001;

export function carried({ offered, sent, lost }: RateTrial): boolean {
  return sent >= offered * (1 - toleratedLoss) && lost <= offered * toleratedLoss;
}

export async function noDropRate(
  highest: number,
  trial: (rate: number) => Promise<RateTrial>,
  trials = 7,
): Promise<number> {
  let low = 0;
  let high = highest;
  for (let i = 0; i < trials; i++) {
    const rate = i === 0 ? high : (low + high) / 2;
    if (!carried(await trial(rate))) high = rate;
    else if (rate === highest) return highest;
    else low = rate;
  }
  return low;
}
