// SPDX-License-Identifier: Apache-2.0
// Sends pings from a network namespace: ping(8) of iputils, started by nsenter(1).

import { spawn } from 'node:child_process';

export interface PingWay {
  /** Path of the network namespace. */
  readonly netns: string;
  readonly from: string;
  readonly to: string;
  readonly intervalMilliseconds: number;
}

export interface PingNews {
  readonly onAnswer: () => void;
  /** ping ended by itself. `possible`: whether starting it again makes sense. */
  readonly onEnd: (reason: string, possible: boolean) => void;
}

/** Returns the function that stops the pings. */
export function startPings(
  { netns, from, to, intervalMilliseconds }: PingWay,
  { onAnswer, onEnd }: PingNews,
): () => void {
  const seconds = String(intervalMilliseconds / 1000);
  // -O makes ping write a line for each unanswered ping, so that a broken pipe ends it soon after we exit.
  const ping = ['ping', '-n', '-O', '-i', seconds, '-I', from, to];
  const env = { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' };
  const child = spawn('nsenter', [`--net=${netns}`, ...ping], { stdio: ['ignore', 'pipe', 'pipe'], env });
  let said = '';
  let over = false;
  const end = (reason: string, possible: boolean) => {
    if (!over) onEnd(reason, possible);
    over = true;
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (!over && text.includes('bytes from')) onAnswer();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-500);
  });
  child.on('error', (error) => end(error.message, false));
  child.on('close', (code) => {
    const reason = said.trim() || `ping ended with ${code}`;
    end(reason, !/^nsenter:|(invalid|unrecognized) option/m.test(said));
  });
  return () => {
    over = true;
    child.kill('SIGKILL');
  };
}
