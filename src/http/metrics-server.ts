// SPDX-License-Identifier: Apache-2.0
// Serves /metrics, /healthz and /readyz on TCP.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LivenessReport } from '../metrics/liveness.ts';
import { contentType } from '../metrics/text-format.ts';
import { CrosswireError } from '../model/error.ts';

export interface MetricsServerSettings {
  readonly host: string;
  readonly port: number; // 0: any
  render(): Promise<readonly Buffer[]>;
  alive(): LivenessReport;
  ready(): boolean;
  readonly onInternalError: (error: unknown) => void;
}

const limits = { requestTimeout: 10_000, headersTimeout: 10_000, keepAliveTimeout: 30_000, maxHeaderSize: 16_384 };
const longestSilence = 30_000; // milliseconds after which a client that does not read its answer is disconnected
const mostConnections = 64;

export class MetricsServer {
  readonly #settings: MetricsServerSettings;
  #server: Server | undefined;

  constructor(settings: MetricsServerSettings) {
    this.#settings = settings;
  }

  async start(): Promise<AddressInfo> {
    const { host, port } = this.#settings;
    const server = createServer(limits, (request, response) => void this.#serve(request, response));
    server.maxConnections = mostConnections;
    server.setTimeout(longestSilence);
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause: NodeJS.ErrnoException) => reject(refused(host, port, cause)));
      server.listen(port, host, resolve);
    });
    server.on('error', this.#settings.onInternalError); // accept(2) can fail later: too many open files
    this.#server = server;
    return server.address() as AddressInfo;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections(); // Prometheus repeats an interrupted scrape
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?', 1)[0];
    const known = path === '/metrics' || path === '/healthz' || path === '/readyz';
    if (!known) return sendText(response, 404, 'not found; try /metrics, /healthz or /readyz\n');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return sendText(response, 405, 'only GET and HEAD\n');
    }
    if (path === '/metrics') return this.#sendMetrics(response);
    if (path === '/healthz') {
      const report = this.#settings.alive();
      return sendText(response, report.alive ? 200 : 503, `${JSON.stringify(report)}\n`, 'application/json');
    }
    const ready = this.#settings.ready();
    return sendText(response, ready ? 200 : 503, ready ? 'ready\n' : 'not ready: starting or stopping\n');
  }

  async #sendMetrics(response: ServerResponse): Promise<void> {
    try {
      const chunks = await this.#settings.render();
      const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      response.writeHead(200, { 'content-type': contentType, 'content-length': length });
      for (const chunk of chunks) response.write(chunk);
      response.end();
    } catch (error) {
      this.#settings.onInternalError(error);
      sendText(response, 500, 'the metrics could not be read; see the log\n');
    }
  }
}

function sendText(response: ServerResponse, status: number, body: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

function refused(host: string, port: number, cause: NodeJS.ErrnoException): CrosswireError {
  const busy = cause.code === 'EADDRINUSE';
  return new CrosswireError({
    code: busy ? 'METRICS_ADDRESS_BUSY' : 'METRICS_ADDRESS_REFUSED',
    operation: 'opening the metrics port',
    subject: `${host}:${port}`,
    reason: busy ? 'another program listens there' : cause.message,
    hint: "choose another with --metrics, or 'off'",
    errno: Math.abs(cause.errno ?? 0),
    cause,
  });
}
