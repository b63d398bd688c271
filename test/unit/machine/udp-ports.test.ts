// SPDX-License-Identifier: Apache-2.0

import { createSocket, type SocketType } from 'node:dgram';
import { once } from 'node:events';
import test from 'ava';
import { isUdpPortFree } from '../../../src/machine/udp-ports.ts';

for (const [family, address] of [
  ['udp4', '127.0.0.1'],
  ['udp6', '::1'],
] as const)
  test(`a port that a socket of ${family} has on one address is not free; it is once that is closed`, async (t) => {
    const socket = createSocket(family as SocketType);
    socket.bind(0, address);
    await once(socket, 'listening');
    const { port } = socket.address();
    t.false(await isUdpPortFree(port));
    socket.close();
    await once(socket, 'close');
    t.true(await isUdpPortFree(port));
  });
