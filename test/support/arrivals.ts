// SPDX-License-Identifier: Apache-2.0
// Sends frames from one interface and returns those that arrive at another.

import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readCapture, writeCapture } from './captures.ts';
import type { Namespace } from './namespace.ts';
import { Background, eventually } from './shell.ts';

const frameTool = resolve('build/native-tools/frame_tool');
/** The destination and source addresses of every frame of oddFrames(). */
const addresses = '02000000aa0102000000aa02';

export interface Place {
  readonly namespace: Namespace;
  readonly interface: string;
}

/** Returns the frames in hex, in the order of their arrival; fewer if some do not arrive. `directory`: for the captures. */
export async function arrivals(frames: readonly Buffer[], directory: string, from: Place, to: Place) {
  const [input, output] = [join(directory, 'in.pcap'), join(directory, 'out.pcap')];
  await writeFile(input, writeCapture(frames));
  const options = ['-U', '--immediate-mode', '-s', '10000', '-B', '16384', '-Q', 'in', '-Z', 'root', '-w', output];
  const capture = new Background(...to.namespace.inside('tcpdump', '-i', to.interface, ...options));
  await capture.says('listening on');
  await from.namespace.run(frameTool, 'send', input, from.interface);
  const arrived = async () => {
    const all = readCapture(await readFile(output)).map((frame) => frame.toString('hex'));
    return all.filter((frame) => frame.startsWith(addresses));
  };
  await eventually('all frames arrive', async () => (await arrived()).length >= frames.length).catch(() => {});
  await capture.stop('SIGINT');
  return arrived();
}
