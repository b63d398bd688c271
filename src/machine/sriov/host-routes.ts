// SPDX-License-Identifier: Apache-2.0
// Lists the interfaces that have a route in the forwarder's own network namespace: the main tables as /proc/net shows them
// (fib_route_seq_show() in net/ipv4/fib_trie.c, rt6_info_route() in net/ipv6/route.c).

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** `procfs` is '/proc' except in tests. */
export async function routedInterfaces(procfs = '/proc'): Promise<ReadonlySet<string>> {
  const [four, six] = await Promise.all([lines(join(procfs, 'net/route')), lines(join(procfs, 'net/ipv6_route'))]);
  const names = new Set<string>();
  for (const [name, to] of four) if (name && /^[0-9A-F]{8}$/.test(to ?? '')) names.add(name);
  // Routes to fe80::/10 and ff00::/8 do not count: every interface that is up has them.
  for (const columns of six)
    if (columns.length >= 10 && !/^(fe[89ab]|ff)/.test(columns[0] ?? '')) names.add(columns.at(-1) ?? '');
  return names;
}

async function lines(file: string): Promise<string[][]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').map((line) => line.trim().split(/\s+/));
}
