// SPDX-License-Identifier: Apache-2.0
// Opens a page in a real browser: Chromium, controlled over its debugging pipe (chromedevtools.github.io/devtools-protocol).

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

type Fields = Record<string, any>;

interface Look {
  readonly width: number;
  readonly scheme: 'light' | 'dark';
}

export class Browser {
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #waiting = new Map<number, (message: Fields) => void>();
  readonly #complaints: string[] = [];
  #session: string | undefined;
  #loaded = Promise.withResolvers<void>();
  #count = 0;

  private constructor(process: ChildProcess, profile: string) {
    this.#process = process;
    this.#profile = profile;
    let rest = '';
    (process.stdio[4] as Readable).setEncoding('utf8').on('data', (chunk: string) => {
      const messages = (rest + chunk).split('\0');
      rest = messages.pop() as string;
      for (const text of messages) this.#receive(JSON.parse(text) as Fields);
    });
  }

  static async start(): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), 'crosswire-browser-'));
    // Without the sandbox, which does not work as root; the browser opens only our own file.
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'];
    const process = spawn('chromium', [...flags, `--user-data-dir=${profile}`, '--remote-debugging-pipe'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    });
    const browser = new Browser(process, profile);
    const { targetId } = await browser.#call('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await browser.#call('Target.attachToTarget', { targetId, flatten: true });
    browser.#session = sessionId;
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await browser.#call(`${domain}.enable`);
    return browser;
  }

  /** Opens the file and returns the browser's complaints: console messages, exceptions, network requests. */
  async open(file: string, { width, scheme }: Look): Promise<readonly string[]> {
    this.#complaints.length = 0;
    this.#loaded = Promise.withResolvers();
    const size = { width, height: 900, deviceScaleFactor: 1, mobile: false };
    await this.#call('Emulation.setDeviceMetricsOverride', size);
    const features = [{ name: 'prefers-color-scheme', value: scheme }];
    await this.#call('Emulation.setEmulatedMedia', { features });
    await this.#call('Page.navigate', { url: `file://${file}` });
    await this.#loaded.promise;
    return [...this.#complaints];
  }

  async evaluate<T>(expression: string): Promise<T> {
    const answer = await this.#call('Runtime.evaluate', { expression, returnByValue: true });
    if (answer['exceptionDetails']) throw new Error(JSON.stringify(answer['exceptionDetails']));
    return answer['result'].value as T;
  }

  async stop(): Promise<void> {
    const closed = once(this.#process, 'close');
    this.#process.kill();
    await closed;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  #call(method: string, params: Fields = {}): Promise<Fields> {
    const id = ++this.#count;
    const session = this.#session === undefined ? {} : { sessionId: this.#session };
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result, error }) => (error ? reject(new Error(error.message)) : resolve(result)));
      (this.#process.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    });
  }

  #receive(message: Fields): void {
    const { id, method, params } = message;
    if (id !== undefined) this.#waiting.get(id)?.(message);
    if (method === 'Page.loadEventFired') this.#loaded.resolve();
    if (method === 'Log.entryAdded') this.#complaints.push(params.entry.text);
    if (method === 'Runtime.consoleAPICalled') this.#complaints.push(JSON.stringify(params.args));
    if (method === 'Runtime.exceptionThrown') this.#complaints.push(params.exceptionDetails.text);
    if (method === 'Network.requestWillBeSent' && params.type !== 'Document')
      this.#complaints.push(`asked for ${params.request.url}`);
  }
}
