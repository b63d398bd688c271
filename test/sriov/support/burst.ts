// SPDX-License-Identifier: Apache-2.0
// Sends marked frames from one workload to another and counts those that arrive in order; both interfaces are `nsm-1`.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { writeCapture } from '../../support/captures.ts';
import type { Namespace } from '../../support/namespace.ts';
import { Background } from '../../support/shell.ts';

const frameTool = resolve('build/native-tools/frame_tool');

export function macOf(space: Namespace): string {
  return JSON.parse(execFileSync('ip', ['-n', space.name, '-j', 'link', 'show', 'nsm-1'], { encoding: 'utf8' }))[0]
    .address;
}

export async function burst(
  from: Namespace,
  to: Namespace,
  count: number,
  broadcast = false,
): Promise<{ own: number; disorder: number }> {
  const [source, target] = [macOf(from), macOf(to)].map((mac) => Buffer.from(mac.replaceAll(':', ''), 'hex'));
  const frames = Array.from({ length: count }, (_, sequence) => {
    const frame = Buffer.alloc(200);
    if (broadcast) frame.fill(0xff, 0, 6);
    else target?.copy(frame, 0);
    source?.copy(frame, 6);
    frame.writeUInt16BE(0x88b5, 12);
    frame.writeUInt32BE(0x43575446, 14); // the mark of frame_tool
    frame.writeUInt32BE(7, 18);
    frame.writeUInt32BE(sequence, 26);
    return frame;
  });
  const file = join(await mkdtemp(join(tmpdir(), 'crosswire-burst-')), 'burst.pcap');
  writeFileSync(file, writeCapture(frames));
  const [program, args] = to.inside(frameTool, 'watch', '2000', 'nsm-1=7');
  const watch = new Background(program, args);
  await watch.says('ready', 30_000);
  await from.run(frameTool, 'send', file, 'nsm-1');
  await watch.says(/\]\n/, 30_000);
  const [report] = /\[\{.*\}\]/.exec(watch.output) ?? ['[]'];
  return (JSON.parse(report) as { own: number; disorder: number }[])[0] ?? { own: -1, disorder: -1 };
}
