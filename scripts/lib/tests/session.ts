// SPDX-License-Identifier: Apache-2.0
// Runs stages, shows what they say when they fail, adds up what passed, and ends with one closing line.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, type Ended } from './command.ts';
import { countTests } from './counts.ts';
import { elapsed, Progress } from './progress.ts';
import { runAll } from './scheduler.ts';
import type { Outcome, Stage } from './stage.ts';

const coverage = /^(Statements|Branches|Functions|Lines) +: .*/gm;

export class Session {
  readonly #progress = new Progress(process.stdout);
  readonly #folder = mkdtempSync(join(tmpdir(), 'crosswire-tests-'));
  /** testWith (test/support/requires.ts) writes a line for each test that the machine lacks something for. */
  readonly #skipList = join(this.#folder, 'skips');
  readonly #live: boolean;
  #passed = 0;
  #failed = 0;
  #interrupted = false;

  /** `live`: shows the output as it comes, which is for one stage at a time. */
  constructor(live: boolean) {
    this.#live = live;
    writeFileSync(this.#skipList, '');
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => this.#interrupt());
  }

  /** The exit code: 0 if all passed. */
  async run(stages: readonly Stage[]): Promise<number> {
    await runAll(stages, {
      run: (stage) => this.#runStage(stage),
      notRun: (stage, cause) => this.#progress.say(`== ${stage.title}: not run, for want of ${cause}`),
      isInterrupted: () => this.#interrupted,
    });
    this.#progress.stop();
    const code = this.#close();
    rmSync(this.#folder, { recursive: true });
    return code;
  }

  async #runStage(stage: Stage): Promise<Outcome> {
    const environment = { ...process.env, CROSSWIRE_SKIP_LIST: this.#skipList };
    if (!this.#live) this.#progress.say(`== ${stage.title}: begins`);
    const show = this.#live ? (chunk: string) => process.stdout.write(chunk) : undefined;
    const command = new Command(stage, environment, show);
    if (!this.#live) this.#progress.running.add(command);
    const ended = await command.ended();
    this.#progress.running.delete(command);
    return this.#judge(stage, ended);
  }

  #judge(stage: Stage, { code, output, seconds }: Ended): Outcome {
    const counts = countTests(output);
    this.#passed += counts.passed;
    if (counts.skips.length > 0) writeFileSync(this.#skipList, `${counts.skips.join('\n')}\n`, { flag: 'a' });
    const took = elapsed(1000 * seconds);
    const isUnavailable = stage.unavailable !== undefined && code === stage.unavailable;
    if ((code !== 0 || counts.failed > 0) && !this.#live) this.#progress.say(output);
    if (isUnavailable) return 'unavailable';
    if (code !== 0 || counts.failed > 0) {
      this.#failed += Math.max(1, counts.failed);
      this.#progress.say(`== ${stage.title}: FAILED after ${took}`);
      return 'failed';
    }
    const tests = counts.passed > 0 ? `, ${counts.passed} passed` : '';
    if (!this.#live)
      this.#progress.say([`== ${stage.title}: ${took}${tests}`, ...(output.match(coverage) ?? [])].join('\n'));
    return 'passed';
  }

  #interrupt(): void {
    this.#interrupted = true;
    for (const command of this.#progress.running) command.interrupt();
  }

  #close(): number {
    const skips = [...new Set(readFileSync(this.#skipList, 'utf8').split('\n'))].filter((line) => line !== '').sort();
    for (const line of skips) console.log(line);
    // On CI everything can run: a skip there is a defect.
    const failed = this.#failed + (process.env['CI'] === 'true' ? skips.length : 0);
    if (this.#interrupted) console.log('interrupted');
    console.log(`${this.#passed} passed, ${failed} failed, ${skips.length} skipped`);
    return this.#interrupted ? 130 : failed === 0 ? 0 : 1;
  }
}
