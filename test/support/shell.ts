// SPDX-License-Identifier: Apache-2.0
// Child processes of the system tests: runs a program to its end, or starts one and stops it by its pid.

import { type ChildProcess, execFile, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** The factor by which tests wait longer than on a usual machine: emulated machines are slow (docs/lab.md). */
export const patience = Number(process.env['CROSSWIRE_TEST_PATIENCE'] ?? 1);
const longestRun = 120_000 * patience;

/** Runs a program to its end and returns its output; rejects, with its stderr in the message, unless it exits with 0. */
export async function run(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await execute(program, args, { maxBuffer: 64 << 20, timeout: longestRun });
  return stdout;
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Like run(), but accepts any exit code. */
export async function attempt(program: string, ...args: string[]): Promise<Outcome> {
  try {
    const { stdout, stderr } = await execute(program, args, { maxBuffer: 64 << 20, timeout: longestRun });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    if (typeof code !== 'number') throw error;
    return { code, stdout, stderr };
  }
}

export class Background {
  readonly child: ChildProcess;
  output = '';
  readonly #exit: Promise<unknown>;

  constructor(program: string, args: readonly string[], options: SpawnOptions = {}) {
    this.child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], ...options });
    this.#exit = new Promise((resolve) => this.child.once('close', resolve));
    const keep = (chunk: Buffer) => {
      this.output += chunk.toString();
      this.child.emit('said');
    };
    this.child.stdout?.on('data', keep);
    this.child.stderr?.on('data', keep);
    this.child.on('error', (error) => keep(Buffer.from(String(error))));
  }

  /** Waits until the output contains the text; rejects if the process ends or the time is over. */
  async says(text: string | RegExp, milliseconds = 30_000): Promise<void> {
    const found = () => (typeof text === 'string' ? this.output.includes(text) : text.test(this.output));
    const deadline = AbortSignal.timeout(milliseconds * patience);
    while (!found()) {
      if (this.child.exitCode !== null) throw new Error(`ended before saying ${text}:\n${this.output}`);
      await Promise.race([once(this.child, 'said', { signal: deadline }), this.#exit]).catch(() => {
        throw new Error(`did not say ${text} in ${milliseconds * patience} ms:\n${this.output}`);
      });
    }
  }

  /** Sends the signal to this process only and waits for its end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    await this.#exit;
  }

  /** Waits until the process ends by itself. */
  async ended(): Promise<number | null> {
    await this.#exit;
    return this.child.exitCode;
  }
}

/** Polls until the condition holds; rejects with the last failure after the time. */
export async function eventually<T>(
  what: string,
  condition: () => Promise<T | undefined | false>,
  milliseconds = 20_000,
) {
  const end = Date.now() + milliseconds * patience;
  let last = '';
  while (Date.now() < end) {
    try {
      const value = await condition();
      if (value) return value;
      last = '';
    } catch (error) {
      last = `; at last: ${error instanceof Error ? error.message : JSON.stringify(error)}`;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not within ${milliseconds * patience} ms: ${what}${last}`);
}
