// SPDX-License-Identifier: Apache-2.0
// Processes that are measured. Each has its own session and therefore its own autogroup. Nice values have no effect between
// autogroups (sched(7)), so the nice value of the group is set; otherwise a compiler would get half of a CPU.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const shell = ['-c', 'echo -15 2>/dev/null >/proc/$$/autogroup; exec "$@"', 'sh'];

function favoured(program: string, args: readonly string[]): [string, string[]] {
  return ['setsid', ['--wait', 'sh', ...shell, program, ...args]];
}

/** Runs a program to its end and returns its output; rejects, with its stderr, unless it exits with 0 in time. */
export async function runToEnd(program: string, args: readonly string[], seconds = 30): Promise<string> {
  const [outer, all] = favoured(program, args);
  try {
    return (await execute(outer, all, { maxBuffer: 64 << 20, timeout: seconds * 1000 })).stdout;
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string };
    const said = (stderr || stdout).trim().slice(-600);
    throw new Error(`${[program, ...args].join(' ')} failed (${String(code)}): ${said}`);
  }
}

export class Measured {
  readonly name: string;
  readonly child: ChildProcess;
  output = '';
  readonly #exit: Promise<unknown>;
  #paused = false;

  constructor(name: string, program: string, args: readonly string[]) {
    this.name = name;
    // detached gives the process its own session (setsid(2)); exec keeps the process id.
    this.child = spawn('sh', [...shell, program, ...args], { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    this.#exit = new Promise((resolve) => this.child.once('close', resolve));
    const keep = (chunk: Buffer | string) => {
      this.output += chunk.toString();
      this.child.emit('said');
    };
    this.child.stdout?.on('data', keep);
    this.child.stderr?.on('data', keep);
    this.child.stdin?.on('error', keep);
    this.child.on('error', (error) => keep(String(error)));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }
  get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Waits for a match in the output after `from`; rejects if the process ends or the time is over. */
  async says(text: RegExp, seconds = 30, from = 0): Promise<RegExpExecArray> {
    const deadline = AbortSignal.timeout(seconds * 1000);
    while (true) {
      const found = text.exec(this.output.slice(from));
      if (found) return found;
      if (this.ended) throw new Error(`${this.name} ended: ${this.#tail()}`);
      await Promise.race([once(this.child, 'said', { signal: deadline }), this.#exit]).catch(() => {
        throw new Error(`${this.name} did not say ${text} in ${seconds} s: ${this.#tail()}`);
      });
    }
  }

  write(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  /** Stops the process while another is measured, so that it does not poll. */
  pause(): void {
    if (!this.ended && !this.#paused) this.child.kill('SIGSTOP');
    this.#paused = true;
  }
  resume(): void {
    if (!this.ended && this.#paused) this.child.kill('SIGCONT');
    this.#paused = false;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.resume();
    if (!this.ended) this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 20_000);
    await this.#exit;
    clearTimeout(timer);
  }

  #tail(): string {
    return this.output.trim().slice(-600);
  }
}

export interface Usage {
  readonly cpuSeconds: number;
  /** For each thread, how long it waited for a CPU. */
  readonly waited: ReadonlyMap<string, number>;
}

/** Reads /proc/PID/task/TID/schedstat: nanoseconds run, nanoseconds waited (Documentation/scheduler/sched-stats). */
export function usageOf(pid: number): Usage {
  let cpuSeconds = 0;
  const waited = new Map<string, number>();
  for (const task of tasksOf(pid)) {
    try {
      const [ran = 0, queued = 0] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ').map(Number);
      cpuSeconds += ran / 1e9;
      waited.set(task, queued / 1e9);
    } catch {
      // The thread has ended in the meantime.
    }
  }
  return { cpuSeconds, waited };
}

export function longestWait(before: Usage, after: Usage): number {
  return Math.max(0, ...[...after.waited].map(([task, seconds]) => seconds - (before.waited.get(task) ?? 0)));
}

export function residentMebibytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 'NaN';
  return Number(kibibytes) / 1024;
}

function tasksOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}
