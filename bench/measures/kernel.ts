// SPDX-License-Identifier: Apache-2.0
// Measures one TCP stream, and small datagrams, between two namespaces of one node.

import type { Bench, Measure } from '../harness/measure.ts';
import { startBridge } from '../subjects/bridge.ts';
import { startCrosswireKernel } from '../subjects/crosswire-kernel.ts';
import { startMirred } from '../subjects/mirred.ts';
import { startOvs } from '../subjects/ovs.ts';
import { startVeth } from '../subjects/veth.ts';
import { compareKernelPaths } from './kernel-rivals.ts';

const rivals = [
  { name: 'veth', start: startVeth, target: 0.98 },
  { name: 'bridge', start: startBridge, target: 1.2 },
  { name: 'mirred', start: startMirred, target: 1.05 },
  { name: 'ovs', start: startOvs, target: 2 },
];

/** iperf3 accepts whole seconds only. */
export const iperfSeconds = (bench: Bench) => Math.ceil(bench.seconds);

export const kernelTcp: Measure = {
  name: 'kernel-tcp',
  run: (bench) =>
    compareKernelPaths(bench, {
      name: 'kernel-tcp',
      title: 'one TCP stream between two namespaces',
      unit: 'bit/s',
      cpus: { client: bench.forwarderCpu, server: bench.generatorCpu },
      subject: () => startCrosswireKernel(bench.forwarderCpu),
      rivals,
      sample: (iperf) => iperf.tcp(iperfSeconds(bench)),
    }),
};

/** A frame of 64 bytes has 14 of Ethernet, 20 of IPv4, 8 of UDP, and these of payload. */
export const smallestPayload = 22;

export const kernelUdp64: Measure = {
  name: 'kernel-udp-64',
  run: (bench) =>
    compareKernelPaths(bench, {
      name: 'kernel-udp-64',
      title: 'UDP in frames of 64 bytes between two namespaces',
      unit: 'frames/s',
      cpus: { client: bench.forwarderCpu, server: bench.generatorCpu },
      subject: () => startCrosswireKernel(bench.forwarderCpu),
      rivals,
      sample: (iperf) => iperf.udp(iperfSeconds(bench), smallestPayload),
    }),
};
