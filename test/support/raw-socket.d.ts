// SPDX-License-Identifier: Apache-2.0
// The part of raw-socket 1.8 that the tests use; the package has no types of its own.
declare module 'raw-socket' {
  import type { EventEmitter } from 'node:events';
  interface Socket extends EventEmitter {
    send(
      buffer: Buffer,
      offset: number,
      length: number,
      address: string,
      done: (error: Error | null, bytes: number) => void,
    ): void;
    close(): void;
  }
  const raw: {
    Protocol: { ICMP: number };
    createSocket(options: { protocol: number }): Socket;
    createChecksum(buffer: Buffer): number;
    writeChecksum(buffer: Buffer, offset: number, checksum: number): void;
  };
  export default raw;
}
