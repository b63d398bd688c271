// SPDX-License-Identifier: Apache-2.0
// The client of the control API: sends requests to the daemon over its control socket.

import { Agent, request } from 'node:http';
import { CrosswireError, type ErrorDetails } from '../model/error.ts';

const longestConnect = 5_000; // milliseconds; there is no limit for answers

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

export class ControlClient {
  readonly #socket: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 32 });

  constructor(socket: string) {
    this.#socket = socket;
  }

  async get<T>(path: string): Promise<T> {
    return (await this.#call('GET', path)) as T;
  }
  async put<T>(path: string, body: object): Promise<T> {
    return (await this.#call('PUT', path, body)) as T;
  }
  async post<T>(path: string, body: object): Promise<T> {
    return (await this.#call('POST', path, body)) as T;
  }
  async delete<T>(path: string): Promise<T> {
    return (await this.#call('DELETE', path)) as T;
  }

  close(): void {
    this.#agent.destroy();
  }

  async #call(method: string, path: string, body?: object): Promise<unknown> {
    const reply = await this.#exchange(this.#agent, method, path, body);
    const errors = (reply.body as { errors?: unknown } | null)?.errors;
    const isReport = typeof (reply.body as { outcome?: unknown } | null)?.outcome === 'string';
    if (reply.status < 400 || isReport) return reply.body;
    if (!Array.isArray(errors)) throw this.#unreachable(`it answered ${reply.status}, which is not Crosswire's way`);
    const all = (errors as ErrorDetails[]).map((details) => new CrosswireError(details));
    throw all.length === 1 ? all[0] : new AggregateError(all, `the daemon refused: ${all.length} errors`);
  }

  /** A kept connection that the daemon has closed is noticed only when it is used (RFC 9112, section 9.3.1). An idempotent
   *  request (RFC 9110, section 9.2.2) is then sent again over a new connection. */
  #exchange(agent: Agent | false, method: string, path: string, body?: object): Promise<Reply> {
    const text = body && JSON.stringify(body);
    const headers = text ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } : {};
    return new Promise((resolve, reject) => {
      const fail = (cause: NodeJS.ErrnoException) => reject(this.#unreachable(reasonOf(cause), cause));
      const call = request({ socketPath: this.#socket, agent, method, path, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', fail);
        response.on('end', () => {
          try {
            resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString()) });
          } catch {
            reject(this.#unreachable('its answer is no JSON'));
          }
        });
      });
      call.on('error', (cause: NodeJS.ErrnoException) => {
        const again = method !== 'POST' && call.reusedSocket && isClosed(cause);
        if (again) resolve(this.#exchange(false, method, path, body));
        else fail(cause);
      });
      call.on('socket', (socket) => {
        if (!socket.connecting) return;
        const timer = setTimeout(() => socket.destroy(new Error('it does not accept the connection')), longestConnect);
        socket.once('close', () => clearTimeout(timer)).once('connect', () => clearTimeout(timer));
      });
      call.end(text);
    });
  }

  #unreachable(reason: string, cause?: NodeJS.ErrnoException): CrosswireError {
    return new CrosswireError({
      code: 'DAEMON_UNREACHABLE',
      operation: 'talking to the daemon',
      subject: this.#socket,
      reason,
      hint:
        cause?.code === 'EACCES'
          ? 'the socket belongs to who runs the daemon'
          : 'is `crosswire run` running? --control names its socket',
      errno: Math.abs(cause?.errno ?? 0),
      cause,
    });
  }
}

function isClosed({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE';
}

function reasonOf(cause: NodeJS.ErrnoException): string {
  const { code, message } = cause;
  if (code === 'ENOENT') return 'there is no socket';
  if (code === 'ECONNREFUSED') return 'nobody listens there';
  if (code === 'EACCES') return 'permission denied';
  if (isClosed(cause)) return 'it closed the connection';
  return message;
}
