// SPDX-License-Identifier: Apache-2.0
// Measures kernel ↔ memif ↔ memif ↔ kernel through two wires: the forwarder on one CPU, both ends of the traffic on the other.

import type { Bench, Measure } from '../harness/measure.ts';
import { startCrosswireChain } from '../subjects/crosswire-kernel.ts';
import { startTestpmdChain } from '../subjects/testpmd-kernel.ts';
import { iperfSeconds, smallestPayload } from './kernel.ts';
import { compareKernelPaths, type KernelComparison } from './kernel-rivals.ts';

function chain(bench: Bench): Pick<KernelComparison, 'cpus' | 'subject'> {
  return {
    cpus: { client: bench.generatorCpu, server: bench.generatorCpu },
    subject: () => startCrosswireChain(bench.forwarderCpu, true),
  };
}

export const chainTcp: Measure = {
  name: 'chain-tcp',
  run: (bench) =>
    compareKernelPaths(bench, {
      ...chain(bench),
      name: 'chain-tcp',
      title: 'one TCP stream over kernel, memif, memif, kernel',
      unit: 'bit/s',
      rivals: [
        { name: 'offloads-off', start: () => startCrosswireChain(bench.forwarderCpu, false), target: 3 },
        { name: 'testpmd-tap', start: () => startTestpmdChain(bench.forwarderCpu, 'tap'), target: 2 },
        { name: 'testpmd-af_packet', start: () => startTestpmdChain(bench.forwarderCpu, 'af_packet'), target: 2 },
      ],
      sample: (iperf) => iperf.tcp(iperfSeconds(bench)),
    }),
};

export const chainUdp64: Measure = {
  name: 'chain-udp-64',
  run: (bench) =>
    compareKernelPaths(bench, {
      ...chain(bench),
      name: 'chain-udp-64',
      title: 'UDP in frames of 64 bytes over kernel, memif, memif, kernel',
      unit: 'frames/s',
      rivals: [{ name: 'testpmd-tap', start: () => startTestpmdChain(bench.forwarderCpu, 'tap'), target: 1.5 }],
      sample: (iperf) => iperf.udp(iperfSeconds(bench), smallestPayload),
    }),
};
