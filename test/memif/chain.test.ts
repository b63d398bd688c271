// SPDX-License-Identifier: Apache-2.0
// Two namespaces through a DPDK network function: every role and copy mode of DPDK's memif.

import test from 'ava';
import { Chain, type ChainOptions } from '../support/chain.ts';
import { transfer, withIperfServer } from '../support/iperf.ts';
import { testWith } from '../support/requires.ts';
import { attempt, eventually } from '../support/shell.ts';

let chain: Chain | undefined;
test.afterEach.always(async () => {
  await chain?.destroy();
  chain = undefined;
});

const variants: Record<string, ChainOptions> = {
  'forwarder is server': { role: 'server' },
  'forwarder is client': { role: 'client' },
  'peer is a zero-copy client': {
    role: 'server',
    memif: { allowUnsealed: true },
    device: 'zero-copy=yes',
    eal: ['--single-file-segments'],
  },
  'peer is a client with three rings': { role: 'server', memif: { rings: 3 }, queues: 3 },
  'forwarder is client with two rings, small buffers': {
    role: 'client',
    memif: { rings: 2, bufferSize: 1024 },
    queues: 2,
  },
};

for (const [name, options] of Object.entries(variants)) {
  testWith(
    ['root', 'tun', 'dpdk-testpmd', 'iperf3', 'ping'],
    `${name}: ping, TCP and UDP both ways, conserved`,
    async (t) => {
      chain = await Chain.make(options);
      const { a, b } = chain;
      await a.run('ping', '-q', '-c', '5', '-i', '0.02', '-W', '2', '10.79.0.2');
      await b.run('ping', '-q', '-c', '5', '-i', '0.02', '-W', '2', 'fd79::1');
      await a.run('ping', '-q', '-c', '3', '-i', '0.02', '-W', '2', '-s', '1400', '10.79.0.2');
      await withIperfServer(b, async () => {
        t.true((await transfer(a, '10.79.0.2')) > 1_000_000, 'TCP');
        t.true((await transfer(a, '10.79.0.2', '--reverse')) > 1_000_000, 'TCP, reverse');
        t.true((await transfer(a, '10.79.0.2', '--udp', '--bitrate', '50M')) > 1_000_000, 'UDP');
      });
      await chain.conserved();
      const metrics = await chain.daemon.metrics();
      // With several slots per frame, DPDK's sender sometimes overruns a full ring, which we must survive and count.
      const broken = options.memif && 'bufferSize' in options.memif ? [] : ['bad_desc', 'bad_index'];
      for (const reason of [...broken, 'bad_checksum', 'bad_offload', 'io_error'])
        t.is(metrics.sum('crosswire_wire_drops_total', { reason }), 0n, reason);
    },
  );
}

testWith(
  ['root', 'tun', 'dpdk-testpmd', 'ping'],
  'a jumbo ping of 9000 bytes goes through chained buffers',
  async (t) => {
    chain = await Chain.make({ role: 'client', mtu: 9000 });
    await chain.a.run('ping', '-q', '-c', '5', '-i', '0.05', '-W', '2', '-M', 'do', '-s', '8972', '10.79.0.2');
    await chain.conserved();
    t.pass();
  },
);

testWith(
  ['root', 'tun', 'dpdk-testpmd', 'ping'],
  'wires come back when the peer does, and when the forwarder does',
  async (t) => {
    chain = await Chain.make({ role: 'server' });
    const { a, daemon } = chain;
    const answered = () => a.run('ping', '-q', '-c', '1', '-W', '1', '10.79.0.2').then(() => true);
    await eventually('ping', answered);
    const before = (await daemon.metrics()).sum('crosswire_wire_rx_packets_total', { wire: 'left' });

    chain.testpmd?.process.child.kill('SIGKILL');
    await chain.testpmd?.process.ended();
    await eventually(
      'the wire notices',
      async () => !((await daemon.describe('left')) as { endpoint: { up: boolean } }).endpoint.up,
    );
    await chain.startPeer();
    await eventually('ping after the peer came back', answered);
    t.true(
      (await daemon.metrics()).sum('crosswire_wire_rx_packets_total', { wire: 'left' }) > before,
      'counters are monotone',
    );

    // Kills the forwarder. Its peer is a DPDK client, which never reconnects by itself, so it is restarted too.
    await daemon.stop('SIGKILL');
    t.deepEqual(await a.interfaces(), ['cw0'], 'the interface outlives the forwarder');
    await chain.testpmd?.stop();
    await daemon.launch();
    await chain.startPeer();
    await eventually('ping after the forwarder came back', answered);
  },
);

testWith(
  ['root', 'tun', 'dpdk-testpmd', 'ping'],
  'as memif client the forwarder comes back to a waiting server by itself',
  async (t) => {
    chain = await Chain.make({ role: 'client' });
    const { a, daemon } = chain;
    const answered = async () => {
      const [program, args] = a.inside('ping', '-q', '-c', '1', '-W', '1', '10.79.0.2');
      const { code } = await attempt(program, ...args);
      if (code === 0) return true;
      const ends = [await daemon.describe('left'), await daemon.describe('right')];
      throw new Error(`no answer; testpmd ended: ${chain?.testpmd?.process.child.exitCode}; ${JSON.stringify(ends)}`);
    };
    await eventually('ping', answered);
    await daemon.stop('SIGKILL');
    await daemon.launch();
    await eventually('ping after the forwarder came back', answered);
    t.pass();
  },
);
