// SPDX-License-Identifier: Apache-2.0
// The test's own namespace as one end: a ping with raw-socket, which works only in the namespace in which it runs.
//   this process ── wire ── namespace

import test from 'ava';
import raw from 'raw-socket';
import { Daemon } from '../support/daemon.ts';
import { Namespace } from '../support/namespace.ts';
import { testWith } from '../support/requires.ts';
import { kernelEnd, wireFile } from '../support/wires.ts';

/** One ICMP echo (RFC 792); resolves with the answer's payload. */
function echo(address: string, payload: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = raw.createSocket({ protocol: raw.Protocol.ICMP });
    const request = Buffer.concat([Buffer.from('0800000043570001', 'hex'), Buffer.from(payload)]);
    raw.writeChecksum(request, 2, raw.createChecksum(request));
    const timer = setTimeout(() => {
      socket.close();
      reject(new Error(`no answer from ${address}`));
    }, 5000);
    socket.on('message', (packet: Buffer, source: string) => {
      const icmp = packet.subarray(((packet[0] as number) & 15) * 4);
      if (source !== address || icmp[0] !== 0 || icmp.readUInt16BE(4) !== 0x4357) return;
      clearTimeout(timer);
      socket.close();
      resolve(icmp.subarray(8).toString());
    });
    socket.on('error', reject);
    socket.send(request, 0, request.length, address, (error: Error | null) => {
      if (error) reject(error);
    });
  });
}

let daemon: Daemon;
let namespace: Namespace;

test.afterEach.always(async () => {
  await daemon?.destroy();
  await namespace?.remove();
});

testWith(['root'], 'a process in the host namespace pings through a wire named by pid', async (t) => {
  namespace = await Namespace.make('host');
  daemon = await Daemon.start();
  const client = { kernel: { pid: process.pid, interface: 'cwt-host0', addresses: ['198.18.77.1/30'] } };
  const endpoint = kernelEnd(namespace, 'cw0', { addresses: ['198.18.77.2/30'] });
  await daemon.mustApply(wireFile({ name: 'host', client, endpoint }));
  t.is(await echo('198.18.77.2', 'through the wire'), 'through the wire');
});
