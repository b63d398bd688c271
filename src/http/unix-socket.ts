// SPDX-License-Identifier: Apache-2.0
// Listens on a unix socket that only its owner can open at any time.

import { lstat, mkdir, unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { CrosswireError } from '../model/error.ts';

const operation = 'opening the control socket';

export async function listenPrivately(server: Server, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 }).catch((cause) => {
    throw refused(path, cause);
  });
  await removeStale(path);
  const listening = new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', (cause: NodeJS.ErrnoException) => reject(refused(path, cause)));
  });
  // bind(2), which listen() calls, makes the file with the mode that the umask leaves. A chmod afterwards would leave a moment in
  // which others could connect.
  const mask = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(mask);
  }
  await listening;
}

/** Removes the socket of a daemon that was killed, but not a socket on which a process accepts connections. */
async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket())
    throw socketError('CONTROL_SOCKET_TAKEN', path, 'something that is no socket is there', 'choose another path');
  if (await somebodyAccepts(path))
    throw socketError(
      'CONTROL_SOCKET_BUSY',
      path,
      'a daemon answers there already',
      'stop it, or choose another path with --control',
    );
  await unlink(path);
}

function somebodyAccepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    // ECONNREFUSED means that nobody listens. With any other error (no permission, queue full) somebody may listen.
    probe.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  });
}

const refused = (path: string, cause: NodeJS.ErrnoException) =>
  new CrosswireError({
    code: 'CONTROL_SOCKET_REFUSED',
    operation,
    subject: path,
    reason: cause.message,
    errno: Math.abs(cause.errno ?? 0),
    cause,
  });

const socketError = (code: string, subject: string, reason: string, hint: string) =>
  new CrosswireError({ code, operation, subject, reason, hint });
