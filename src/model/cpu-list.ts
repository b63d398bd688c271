// SPDX-License-Identifier: Apache-2.0
// A list of CPUs as the kernel writes it: `2-5,8` (cpuset(7), "List format").

/** Of the kernel's cpu_set_t as the C library has it (CPU_SET(3)). */
const mostCpus = 1024;

/** In ascending order, each once; undefined if the text is no list. */
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
