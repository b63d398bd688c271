// SPDX-License-Identifier: Apache-2.0
// The control API's server: HTTP and JSON on a unix socket.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { CrosswireError } from '../model/error.ts';
import type { ControlApi } from './control-routes.ts';
import { controlRoutes } from './control-routes.ts';
import { failure } from './failures.ts';
import { readJsonObject } from './read-body.ts';
import type { Answer, Route } from './route.ts';
import { matchRoute } from './router.ts';
import { listenPrivately } from './unix-socket.ts';

export interface ControlSettings extends ControlApi {
  readonly path: string;
  /** Called for errors that no input caused. */
  readonly onInternalError: (error: unknown) => void;
}

const limits = { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 5_000, maxHeaderSize: 16_384 };
const mostConnections = 128;
const longestFarewell = 2_000; // milliseconds for running requests when stopping; their work is completed anyway

export class ControlServer {
  readonly #settings: ControlSettings;
  readonly #routes: readonly Route[];
  #server: Server | undefined;

  constructor(settings: ControlSettings) {
    this.#settings = settings;
    this.#routes = controlRoutes(settings);
  }

  async start(): Promise<void> {
    const server = createServer(limits, (request, response) => void this.#serve(request, response));
    server.maxConnections = mostConnections;
    await listenPrivately(server, this.#settings.path);
    server.on('error', this.#settings.onInternalError); // accept(2) can fail later: too many open files
    this.#server = server;
  }

  /** Accepts no more requests and lets running ones finish, within a time limit. Idempotent. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeIdleConnections();
    const farewell = setTimeout(() => server.closeAllConnections(), longestFarewell);
    await closed;
    clearTimeout(farewell);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = await this.#answer(request, response).catch((error: unknown) => {
      const failed = failure(error);
      if (failed.status === 500) this.#settings.onInternalError(error);
      return failed;
    });
    if (response.destroyed) return;
    const body = `${JSON.stringify(answer.body)}\n`;
    // The unread rest of the request would be parsed as the next request.
    if (!request.complete) response.setHeader('connection', 'close');
    response.writeHead(answer.status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    });
    response.end(body);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<Answer> {
    const { method = '', url = '' } = request;
    const [path = '', query = ''] = url.split('?', 2);
    const match = matchRoute(this.#routes, method, path);
    if (match.kind === 'unknown')
      throw routeError('ROUTE_UNKNOWN', method, path, 'there is no such route', 'see GET /openapi.json');
    if (match.kind === 'wrong-method') {
      response.setHeader('allow', match.allowed.join(', '));
      throw routeError('METHOD_WRONG', method, path, `the route takes ${match.allowed.join(', ')}`);
    }
    const { route, parameters } = match;
    const body = route.takes ? await readJsonObject(request) : undefined;
    return route.handle({ parameters, query: new URLSearchParams(query), body });
  }
}

const routeError = (code: string, method: string, path: string, reason: string, hint?: string) =>
  new CrosswireError({
    code,
    operation: 'finding the route',
    subject: `${method} ${path.slice(0, 200)}`,
    reason,
    hint,
  });
