// SPDX-License-Identifier: Apache-2.0
// Two wires in one process, joined by two memif sockets; prints their states and counters. Needs no privileges.
//   node counters.js
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Dataplane } from 'crosswire';

const directory = mkdtempSync(join(tmpdir(), 'counters-'));
const dataplane = new Dataplane();
await dataplane.start({ workers: 1 });

const memif = { kind: 'memif', netns: '', id: 0, payload: 'ethernet', mtu: 1500, secret: '', allowUnsealed: false };
const sizes = { rings: 1, ringSize: 256, bufferSize: 2048 };
const link = (name, role) => ({ ...memif, ...sizes, name, role, socket: join(directory, `${name}.sock`) });
const names = new Map();
for (const role of ['server', 'client']) {
  const request = { name: role, payload: 'ethernet', client: link('a', role), endpoint: link('b', role) };
  names.set(await dataplane.startWire(request), role);
}
const up = (id) => Object.values(dataplane.describeWire(id)).every((end) => end.up);
while (![...names.keys()].every(up)) await new Promise((resolve) => setTimeout(resolve, 10));

// Row i of `words`: the words of the client end, then those of the endpoint; each begins with packets and bytes.
const { ids, words, wordsPerEnd } = dataplane.readCounters();
for (const [row, id] of ids.entries()) {
  const [received, bytes] = words.subarray(row * 2 * wordsPerEnd);
  const { client } = dataplane.describeWire(id);
  console.log(`${names.get(id)}: up, ring of ${client.ringSize}, ${received} frames of ${bytes} bytes received`);
}
await dataplane.close();
rmSync(directory, { recursive: true });
