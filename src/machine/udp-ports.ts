// SPDX-License-Identifier: Apache-2.0
// Checks whether a UDP port can be bound on all addresses of both families in this namespace, as a tunnel device binds it.

import { createSocket, type SocketOptions } from 'node:dgram';

export async function isUdpPortFree(port: number): Promise<boolean> {
  const sockets: readonly (readonly [SocketOptions, string])[] = [
    [{ type: 'udp4' }, '0.0.0.0'],
    [{ type: 'udp6', ipv6Only: true }, '::'],
  ];
  for (const [options, address] of sockets) if (await isTaken(options, address, port)) return false;
  return true;
}

/** Only EADDRINUSE means that the port is taken; a kernel without IPv6, for example, gives another error. */
function isTaken(options: SocketOptions, address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(options);
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      socket.close();
      resolve(code === 'EADDRINUSE');
    });
    socket.bind({ port, address, exclusive: true }, () => socket.close(() => resolve(false)));
  });
}
