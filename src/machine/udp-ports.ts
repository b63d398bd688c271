// SPDX-License-Identifier: Apache-2.0
// Whether a UDP port of this namespace can be bound on every address of both families, as a tunnel's device will bind it.

import { createSocket, type SocketOptions } from 'node:dgram';

export async function isUdpPortFree(port: number): Promise<boolean> {
  const sockets: readonly (readonly [SocketOptions, string])[] = [
    [{ type: 'udp4' }, '0.0.0.0'],
    [{ type: 'udp6', ipv6Only: true }, '::'],
  ];
  for (const [options, address] of sockets) if (await isTaken(options, address, port)) return false;
  return true;
}

/** Anything but EADDRINUSE, as from a kernel without IPv6, is no reason against the port. */
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
