// SPDX-License-Identifier: Apache-2.0
// Parses CPU lists in the kernel's list format, like `2-5,8` (cpuset(7), "List format").

/** The size of the C library's cpu_set_t (CPU_SET(3)). */
const mostCpus = 1024;

/** Returns the CPUs in ascending order, without duplicates; undefined if the text is not a list. */
export function parseCpuList(text: string): readonly number[] | undefined {
  const cpus = new Set<number>();
  for (const part of text.split(',')) {
    const [, first = '', last = first] = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (first === '' || from > to || to >= mostCpus) return undefined;
    for (let cpu = from; cpu <= to; cpu++) cpus.add(cpu);
  }
  return [...cpus].toSorted((a, b) => a - b);
}
