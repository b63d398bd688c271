// SPDX-License-Identifier: Apache-2.0
// The probe that Kubernetes runs in NSM's deployment of a forwarder, with an SVID as in that deployment.

import { findProgram } from '../support/requires.ts';
import { attempt } from '../support/shell.ts';
import type { Mesh } from './support/mesh.ts';
import { scenario } from './support/scenario.ts';

const needs = ['grpc-health-probe'] as const;

scenario(
  'grpc-health-probe -spiffe finds the manager serving, so the probe and its identity work',
  async (t, mesh) => {
    t.regex(await probe(mesh, mesh.node.managerUrl), /SERVING/);
  },
  { needs },
);

scenario(
  'grpc-health-probe -spiffe finds the forwarder serving, all of it and each service',
  async (t, mesh) => {
    const { listenUrl } = await mesh.node.startForwarder();
    for (const service of ['', 'networkservice.NetworkService', 'connection.MonitorConnection'])
      t.regex(await probe(mesh, listenUrl, `-service=${service}`), /SERVING/, service);
    t.notRegex(await probe(mesh, listenUrl, '-service=nobody'), /SERVING/);
  },
  { needs },
);

async function probe(mesh: Mesh, url: string, ...options: string[]): Promise<string> {
  const { environment, wrap } = await mesh.authority.program('probe');
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const command = [findProgram('grpc-health-probe') as string, '-spiffe', `-addr=${url}`, ...options];
  const { stdout, stderr } = await attempt('env', ...variables, ...wrap, ...command);
  return stdout + stderr;
}
