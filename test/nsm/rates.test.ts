// SPDX-License-Identifier: Apache-2.0
// i: Requests per second and their latency, compared with NSM's own programs without us; and what a thousand refreshes leave
// behind.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection } from '../../src/nsm/generated/connection.ts';
import { eventually, patience } from '../support/shell.ts';
import type { Forwarder } from './support/forwarder.ts';
import { Requester } from './support/requester.ts';
import { scenario } from './support/scenario.ts';
import type { Mesh } from './support/mesh.ts';

const connections = 200;
const atOnce = 8;
const refreshes = 1_000;
const failures = 2_000;

scenario(
  `i: ${connections} new connections, by way of the manager, at the forwarder, and at the endpoint alone`,
  async (t, mesh) => {
    const forwarder = await mesh.node.startForwarder();
    const where = await mesh.namespace('many');
    await mesh.node.startEndpoint('nse-1', { services: ['svc-1'], payload: 'ETHERNET', cidr: '172.16.0.0/16' });
    const ways = {
      'by way of the manager': mesh.node.managerUrl,
      'at the forwarder': forwarder.listenUrl,
      'at the endpoint alone': await endpointUrl(mesh, 'nse-1'),
    };
    for (const [way, url] of Object.entries(ways)) {
      const requester = await Requester.start(mesh, 'requester', url);
      const alone = way === 'at the endpoint alone';
      const made: Connection[] = [];
      const cpu = await forwarder.cpuMilliseconds();
      const requests = await timed(connections, async (index) => {
        made.push(
          await requester.request({ service: 'svc-1', ...(alone ? {} : { where, interface: `many${index}` }) }),
        );
      });
      const closes = await timed(connections, async (index) =>
        requester.close(made[index] as Connection, alone ? undefined : where),
      );
      const each = (((await forwarder.cpuMilliseconds()) - cpu) / connections).toFixed(1);
      if (requester.askedAgain > 0) t.log(`asked again ${requester.askedAgain} times`);
      t.log(`${way}: Request ${requests}; Close ${closes}; ${each} ms of the forwarder's CPU for both`);
    }
    t.deepEqual(await where.interfaces(), []);
    t.deepEqual(await forwarder.wires(), []);
  },
  // Eight concurrent handshakes on busy CPUs exceed the usual limit; here that shows in the latency instead.
  { seconds: 240, dialTimeout: `${10 * patience}s` },
);

scenario(
  `i: ${refreshes} refreshes of one connection leave no descriptor`,
  async (t, mesh) => {
    const forwarder = await mesh.node.startForwarder();
    const where = await mesh.namespace('one');
    await mesh.node.startEndpoint('nse-1', { services: ['svc-1'], payload: 'IP', cidr: '172.16.1.100/31' });
    const requester = await Requester.start(mesh, 'requester', mesh.node.managerUrl);
    let connection = await requester.request({ service: 'svc-1', where, interface: 'nsm-1' });
    const refresh = async () => {
      connection = await requester.refresh(connection, where);
    };
    await timed(20, refresh, 1);
    const before = await forwarder.descriptors();
    const link = await where.run('ip', '-o', 'link', 'show', 'nsm-1');
    const cpu = await forwarder.cpuMilliseconds();
    t.log(`refresh ${await timed(refreshes, refresh, 1)}; asked again ${requester.askedAgain} times`);
    t.log(`${(((await forwarder.cpuMilliseconds()) - cpu) / refreshes).toFixed(1)} ms of CPU each`);
    await noMoreThan(before, forwarder);
    t.is(await where.run('ip', '-o', 'link', 'show', 'nsm-1'), link);
  },
  { seconds: 240 },
);

scenario(
  `i: ${failures} Requests that fail, as nsc repeats them, are cheap and leave nothing`,
  async (t, mesh) => {
    const forwarder = await mesh.node.startForwarder();
    const where = await mesh.namespace('one');
    const endpoint = await mesh.node.startEndpoint('nse-1', {
      services: ['svc-1'],
      payload: 'IP',
      cidr: '172.16.1.100/31',
    });
    const requester = await Requester.start(mesh, 'requester', mesh.node.managerUrl);
    // Its registry entry outlives it, so each Request gets as far as the socket, on which nobody listens.
    await endpoint.stop('SIGKILL');
    const fail = async () => {
      await t.throwsAsync(requester.request({ service: 'svc-1', where, interface: 'nsm-1' }), undefined, 'it failed');
    };
    await timed(50, fail, 1);
    const [descriptors, megabytes, cpu] = await costs(forwarder);
    const half = failures / 2;
    const first = await timed(half, fail, 1);
    const [, megabytesBetween] = await costs(forwarder);
    t.log(`failing Request: ${first}, then ${await timed(half, fail, 1)}`);
    const [left, megabytesAfter, cpuAfter] = await costs(forwarder);
    t.log(`${((cpuAfter - cpu) / failures).toFixed(1)} ms of CPU each; descriptors ${descriptors}, then ${left}`);
    t.log(`${megabytes} MB before, ${megabytesBetween} after half of them, ${megabytesAfter} after all`);
    // First the heap grows to its working size, which depends on what else runs; a leak shows only after that.
    t.true(megabytesAfter - megabytesBetween < 20, `${megabytesBetween} MB → ${megabytesAfter} MB`);
    t.deepEqual(await forwarder.wires(), []);
    t.deepEqual(await where.interfaces(), []);
    await noMoreThan(descriptors, forwarder);
  },
  { seconds: 240 },
);

/** On busy CPUs the last connections take a while to close. */
async function noMoreThan(before: number, forwarder: Forwarder): Promise<void> {
  const fewEnough = async () => {
    const now = await forwarder.descriptors();
    if (now > before) throw new Error(`${now} > ${before}`);
    return true;
  };
  await eventually('no more descriptors than before', fewEnough, 60_000);
}

async function costs(forwarder: Forwarder) {
  return Promise.all([forwarder.descriptors(), forwarder.residentMegabytes(), forwarder.cpuMilliseconds()]);
}

/** The program makes a directory for its socket and tells only its manager where. */
async function endpointUrl(mesh: Mesh, name: string): Promise<string> {
  const directory = join(mesh.directory, name);
  const own = (await readdir(directory)).find((entry) => entry.startsWith(name));
  return `unix://${join(directory, own as string, 'listen.on')}`;
}

/** Repeats the work, some of it concurrently; returns rate and latency in words. */
async function timed(times: number, work: (index: number) => Promise<void>, parallel = atOnce): Promise<string> {
  const taken: number[] = [];
  let next = 0;
  const begun = performance.now();
  const worker = async () => {
    while (next < times) {
      const [index, start] = [next++, performance.now()];
      await work(index);
      taken.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  const rate = (1000 * times) / (performance.now() - begun);
  taken.sort((one, other) => one - other);
  const at = (share: number) => `${(taken[Math.min(times - 1, Math.floor(share * times))] as number).toFixed(1)} ms`;
  return `${rate.toFixed(0)}/s, p50 ${at(0.5)}, p99 ${at(0.99)} (${parallel} at once)`;
}
