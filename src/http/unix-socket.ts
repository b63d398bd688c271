// SPDX-License-Identifier: Apache-2.0
// A listening unix socket that only its owner can open, from its first moment on.

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
  // bind(2) happens inside listen() and makes the file with the mode that the mask leaves: there is no moment at which
  // others could connect, as there would be before a chmod.
  const mask = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(mask);
  }
  await listening;
}

/** A socket left by a daemon that was killed; one that somebody accepts on stays. */
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
    // Refused: nobody listens. Anything else (no permission, queue full) may well be somebody.
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
