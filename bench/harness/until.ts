// SPDX-License-Identifier: Apache-2.0

/** The condition can never become true: until() gives up at once. */
export class Hopeless extends Error {}

/** Polls until the answer is true; rejects with the last failure when the time is over. */
export async function until(
  what: string,
  condition: () => Promise<boolean>,
  seconds = 20,
  everyMilliseconds = 25,
): Promise<void> {
  const end = performance.now() + seconds * 1000;
  let last = '';
  while (performance.now() < end) {
    try {
      if (await condition()) return;
      last = '';
    } catch (error) {
      if (error instanceof Hopeless) throw error;
      last = `; at last: ${error instanceof Error ? error.message : String(error)}`;
    }
    await new Promise((resolve) => setTimeout(resolve, everyMilliseconds));
  }
  throw new Error(`not within ${seconds} s: ${what}${last}`);
}
