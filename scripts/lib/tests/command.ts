// SPDX-License-Identifier: Apache-2.0
// Runs the command of a stage in a process group of its own, bounded in time, and keeps its output.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Stage } from './stage.ts';

const millisecondsToEnd = 30_000;

export interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly seconds: number;
}

export class Command {
  readonly stage: Stage;
  readonly begun = Date.now();
  /** The last line that it printed. */
  lastLine = '';
  readonly #child: ChildProcess;
  readonly #chunks: string[] = [];

  constructor(stage: Stage, environment: NodeJS.ProcessEnv, show?: (chunk: string) => void) {
    this.stage = stage;
    const [program, ...args] = stage.command as [string, ...string[]];
    const env = { ...environment, ...stage.environment };
    this.#child = spawn(program, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        this.#chunks.push(chunk);
        this.lastLine = chunk.trimEnd().split('\n').at(-1) || this.lastLine;
        show?.(chunk);
      });
    // What the program leaves behind must not keep its output open.
    this.#child.once('exit', () => this.#killLater());
  }

  async ended(): Promise<Ended> {
    const limit = setTimeout(() => this.#overtime(), this.stage.limitMinutes * 60_000);
    try {
      const [code] = (await once(this.#child, 'close')) as [number | null];
      return this.#result(code);
    } catch (error) {
      this.#chunks.push(String(error)); // there is no such program
      return this.#result(null);
    } finally {
      clearTimeout(limit);
    }
  }

  /** Ends the whole group, as Ctrl-C on a terminal does. */
  interrupt(): void {
    this.#signal('SIGINT');
    this.#killLater();
  }

  /** SIGINT to the program alone: ava then names the tests that it waits for. */
  #overtime(): void {
    const { title, limitMinutes } = this.stage;
    const processes = execFileSync('ps', ['-eo', 'pid,ppid,stat,wchan:24,etime,args', '--cols', '200', '--forest']);
    this.#chunks.push(
      `\n${title} had not ended after ${limitMinutes} minutes. The processes of this machine, and what the kernel has them wait for:\n`,
      processes.toString().replaceAll(/^(?:\s+\S+){5}\s+\[.*\n/gm, ''), // without the kernel's own
    );
    this.#child.kill('SIGINT');
    this.#killLater();
  }

  #killLater(): void {
    const kill = setTimeout(() => this.#signal('SIGKILL'), millisecondsToEnd);
    this.#child.once('close', () => clearTimeout(kill));
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch {
      // The group has ended.
    }
  }

  #result(code: number | null): Ended {
    return { code, output: this.#chunks.join(''), seconds: Math.round((Date.now() - this.begun) / 1000) };
  }
}
