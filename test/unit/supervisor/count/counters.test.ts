// SPDX-License-Identifier: Apache-2.0
// One convention for all mechanisms: rx enters the wire, tx leaves it; nothing ever falls.

import test from 'ava';
import type { Wire } from '../../../../src/wire/wire.ts';
import type { WireCounters } from '../../../../src/model/status.ts';
import { kernel, memif, wireOf } from '../../plan/plan-support.ts';
import { Machine, type Run, wires } from '../supervisor-support.ts';

const [a, c] = ['/run/netns/a', '/run/netns/c'];

async function countersOf(run: Run): Promise<WireCounters> {
  const counters = (await run.supervisor.counters()).get('w');
  if (!counters) throw new Error('the wire is not counted');
  return counters;
}

/** The client's workload sends `frames`, of which the engine passes on all. */
function countFrames(run: Run, frames: bigint): void {
  for (const { words } of run.dataplane.engineWires.values()) {
    words[0] = (words[0] ?? 0n) + frames;
    words[1] = (words[1] ?? 0n) + 100n * frames;
    const endpoint = words.length / 2;
    words[endpoint + 2] = (words[endpoint + 2] ?? 0n) + frames;
  }
}

test('kernel wires: what a workload transmits enters the wire, what its queue drops is received and dropped', async (t) => {
  const machine = new Machine();
  const run = await machine.started();
  await run.supervisor.set('api', [wires.veth]);
  const [client, endpoint] = [machine.kernel.interface(a, 'nsm-1'), machine.kernel.interface('/run/netns/b', 'nsm-2')];
  Object.assign(client.statistics, { txPackets: 10n, txBytes: 1000n, txDropped: 2n, rxPackets: 3n, rxBytes: 300n });
  Object.assign(client.statistics, { txErrors: 7n, rxErrors: 8n });
  Object.assign(endpoint.statistics, { txPackets: 3n, txBytes: 300n, rxPackets: 10n, rxBytes: 1000n });
  t.like(await countersOf(run), {
    client: {
      rxPackets: 12n,
      rxBytes: 1000n,
      txPackets: 3n,
      txBytes: 300n,
      rxErrors: 7n,
      txErrors: 8n,
      drops: { kernel_queue: 2n },
    },
    endpoint: { rxPackets: 3n, rxBytes: 300n, txPackets: 10n, txBytes: 1000n, drops: { kernel_queue: 0n } },
  });
});

test('tunnels: rx is what was sent or could not be, and what came; only its own kernel counts', async (t) => {
  const machine = new Machine();
  const run = await machine.started();
  await run.supervisor.set('api', [wires.tunnel]);
  const device = machine.kernel.interface(a, 'nsm-1');
  Object.assign(device.statistics, { txPackets: 10n, txBytes: 1000n, txDropped: 2n, txErrors: 3n });
  Object.assign(device.statistics, { rxPackets: 5n, rxBytes: 500n, rxDropped: 9n, rxErrors: 1n });
  const client = { rxPackets: 15n, rxBytes: 1000n, txPackets: 5n, txBytes: 500n, rxErrors: 0n, txErrors: 0n };
  const endpoint = { rxPackets: 6n, rxBytes: 500n, txPackets: 10n, txBytes: 1000n, rxErrors: 0n, txErrors: 0n };
  t.deepEqual(await countersOf(run), {
    client: { ...client, drops: { kernel_queue: 2n, tunnel_error: 3n } },
    endpoint: { ...endpoint, drops: { tunnel_error: 1n } },
  });
});

test("engine wires: the engine's words, and what the tap's queue dropped before the engine saw it", async (t) => {
  const machine = new Machine();
  const run = await machine.started();
  await run.supervisor.set('api', [wires.tap]);
  countFrames(run, 2n ** 56n);
  const words = [...run.dataplane.engineWires.values()][0]?.words;
  if (words) words[4 + run.dataplane.dropReasons.indexOf('link_down')] = 5n;
  Object.assign(machine.kernel.interface(a, 'nsm-1').statistics, { txPackets: 99n, txDropped: 4n });
  t.like(await countersOf(run), {
    client: { rxPackets: 2n ** 56n + 4n, rxBytes: 100n * 2n ** 56n, drops: { kernel_queue: 4n, link_down: 5n } },
    endpoint: { rxPackets: 0n, txPackets: 2n ** 56n },
  });
});

const replacements: Record<string, [from: Wire, to: Wire]> = {
  'an engine wire restarted': [wires.tap, { ...wires.tap, mtu: 9000 }],
  'an end replaced': [wires.tap, wireOf(kernel(c, 'nsm-1'), memif('/run/m.sock'))],
  'another pair': [wires.veth, wireOf(kernel(a, 'nsm-1'), kernel(c, 'nsm-2'))],
  'another path': [wires.veth, wires.tap],
  'another path back': [wires.tap, wires.veth],
  'another name': [wires.veth, wireOf(kernel(a, 'other'), kernel('/run/netns/b', 'nsm-2'))],
};

for (const [title, [from, to]] of Object.entries(replacements)) {
  test(`what was counted stays counted: ${title}`, async (t) => {
    const machine = new Machine();
    const run = await machine.started();
    await run.supervisor.set('api', [from]);
    countFrames(run, 10n);
    if (from === wires.veth) machine.kernel.interface(a, 'nsm-1').statistics.txPackets = 10n;
    t.like(await countersOf(run), { client: { rxPackets: 10n } });
    countFrames(run, 5n); // seen by nobody yet
    if (from === wires.veth) machine.kernel.interface(a, 'nsm-1').statistics.txPackets = 15n;
    await run.supervisor.set('api', [to]);
    t.like(await countersOf(run), { client: { rxPackets: 15n }, endpoint: { txPackets: 15n } });
    countFrames(run, 1n);
    const engine = run.dataplane.engineWires.size > 0;
    if (!engine)
      for (const one of machine.kernel.all()) if (one.alias.endsWith('client')) one.statistics.txPackets += 1n;
    t.like(await countersOf(run), { client: { rxPackets: 16n }, endpoint: { txPackets: 16n } });
  });
}

test('an interface that was deleted by others leaves what it last counted', async (t) => {
  const machine = new Machine();
  const run = await machine.started();
  await run.supervisor.set('api', [wires.veth]);
  machine.kernel.interface(a, 'nsm-1').statistics.txPackets = 10n;
  await countersOf(run);
  machine.kernel.destroy(machine.kernel.interface(a, 'nsm-1'));
  t.like(await countersOf(run), { client: { rxPackets: 10n } });
  await run.supervisor.set('api', [wires.veth]);
  t.like(await countersOf(run), { client: { rxPackets: 10n } });
  machine.kernel.interface(a, 'nsm-1').statistics.txPackets = 1n;
  t.like(await countersOf(run), { client: { rxPackets: 11n } });
});

test('kernel wires go on counting across a restart; counters go with the wire', async (t) => {
  const machine = new Machine();
  const first = await machine.started();
  await first.supervisor.set('api', [wires.veth]);
  machine.kernel.interface(a, 'nsm-1').statistics.txPackets = 10n;
  await first.supervisor.stop();
  const next = await machine.started();
  t.like(await countersOf(next), { client: { rxPackets: 10n } });
  await next.supervisor.remove(['w']);
  t.is((await next.supervisor.counters()).size, 0);
});
