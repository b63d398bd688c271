// SPDX-License-Identifier: Apache-2.0
// Runs iperf3 between two namespaces.

import type { Namespace } from './namespace.ts';
import { attempt, Background, eventually } from './shell.ts';

interface Report {
  readonly error?: string;
  readonly end: { readonly sum_received?: { bytes: number }; readonly sum?: { bytes: number } };
}

/** Runs `body` while an iperf3 server listens in the namespace. */
export async function withIperfServer(where: Namespace, body: () => Promise<void>): Promise<void> {
  const server = new Background(...where.inside('iperf3', '--server'));
  try {
    await eventually('iperf3 listens', async () => (await where.run('ss', '-ltn')).includes(':5201'));
    await body();
  } finally {
    await server.stop();
  }
}

/** Returns the bytes that arrived in one second. Retries, because the server may still be busy with the previous test. */
export async function transfer(from: Namespace, to: string, ...options: string[]): Promise<number> {
  return eventually(`iperf3 to ${to} ${options.join(' ')}`, async () => {
    const [program, args] = from.inside('iperf3', '--client', to, '--time', '1', '--json', ...options);
    const { stdout } = await attempt(program, ...args);
    const { error, end } = JSON.parse(stdout) as Report;
    const sum = end.sum_received ?? end.sum;
    if (error || !sum) throw new Error(error ?? stdout);
    return sum.bytes;
  });
}
