// SPDX-License-Identifier: Apache-2.0
// A separate process that scrapes like Prometheus: it fetches an address at an interval until its input ends, and prints the
// number of scrapes.
//   node scraper.ts ADDRESS MILLISECONDS

import { setTimeout as pause } from 'node:timers/promises';

const [address = '', interval = ''] = process.argv.slice(2);
const state = { over: false, scrapes: 0 };
process.stdin.once('end', () => {
  state.over = true;
});
process.stdin.resume();
let due = performance.now();
while (!state.over) {
  await (await fetch(address)).arrayBuffer();
  state.scrapes += 1;
  due = Math.max(due + Number(interval), performance.now());
  await pause(due - performance.now());
}
process.stdout.write(`{"scrapes":${state.scrapes}}\n`);
