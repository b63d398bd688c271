// SPDX-License-Identifier: Apache-2.0
// f: a program dies under traffic, and nsc heals the connection. The time without answers is printed for each.

import type { ExecutionContext } from 'ava';
import { eventually } from '../support/shell.ts';
import type { Mesh } from './support/mesh.ts';
import { count, type Environment } from './support/programs.ts';
import { scenario } from './support/scenario.ts';
import { Pings } from './support/traffic.ts';
import type { Workload } from './support/workload.ts';

interface Ground {
  readonly endpoint: Workload;
  readonly client: Workload;
  readonly pings: Pings;
}

/** Resolves once the fault has happened; whether traffic recovers is checked afterwards. */
type Fault = (mesh: Mesh, ground: Ground) => Promise<void>;

const service = { services: ['svc-1'], payload: 'ETHERNET', cidr: '172.16.1.100/31' } as const;

interface Setting {
  readonly payload?: 'IP' | 'ETHERNET';
  readonly environment?: Environment;
}

heals('the endpoint dies with its namespace, and another starts', async (mesh, { endpoint }) => {
  await endpoint.stop('SIGKILL');
  await mesh.removeNamespace(endpoint.namespace);
  await mesh.node.startEndpoint('nse-2', service);
});

// A pod's container restarts: its namespace stays, and with it what answers the pings.
heals('the endpoint is killed and returns in its namespace', async (mesh, { endpoint }) => {
  await endpoint.stop('SIGKILL');
  await mesh.node.startEndpoint('nse-1', { ...service, where: endpoint.namespace });
});

for (const payload of ['IP', 'ETHERNET'] as const)
  heals(
    `the forwarder is killed and returns under the same name, payload ${payload}`,
    async (mesh) => {
      await mesh.node.forwarder.stop('SIGKILL');
      await mesh.node.forwarder.launch();
    },
    { payload },
  );

// While its pings are answered, nsc does not ask for another forwarder, and the manager insists on the name of the forwarder
// that is gone (sdk, discoverforwarder) until nsc's token expires: soon here, by default in ten minutes.
heals(
  'the forwarder is killed and another comes in its place',
  async (mesh) => {
    await mesh.node.forwarder.stop('SIGKILL');
    await mesh.node.startForwarder('forwarder-other');
  },
  { environment: { NSM_MAX_TOKEN_LIFETIME: '30s' } },
);

heals('the forwarder is stopped and returns, as in an update', async (mesh) => {
  await mesh.node.forwarder.stop('SIGTERM');
  await mesh.node.forwarder.launch();
});

heals('manager and forwarder are killed and return', async (mesh) => {
  await Promise.all([mesh.node.manager, mesh.node.forwarder].map((one) => one.stop('SIGKILL')));
  await mesh.node.startManager();
  await mesh.node.forwarder.launch();
});

heals('the manager is killed and returns', async (mesh) => {
  await mesh.node.manager.stop('SIGKILL');
  await mesh.node.startManager();
});

heals('only the data plane goes down', async (_mesh, { endpoint }) => {
  const [name] = await endpoint.namespace.interfaces();
  await endpoint.namespace.run('ip', 'link', 'set', name as string, 'down');
});

scenario('f: the client is killed and returns in its namespace', async (t, mesh) => {
  const ground = await prepare(mesh, {});
  const { namespace: where } = ground.client;
  await ground.client.stop('SIGKILL');
  await mesh.node.startClient('nsc-1', { services: ['kernel://svc-1/nsm-1'], where });
  await trafficIsBack(t, mesh, ground);
});

function heals(what: string, fault: Fault, setting: Setting = {}): void {
  scenario(
    `f: ${what}`,
    async (t, mesh) => {
      const ground = await prepare(mesh, setting);
      await fault(mesh, ground);
      await healed(t, mesh, ground);
    },
    { seconds: 150 },
  );
}

async function prepare(mesh: Mesh, { payload = service.payload, environment = {} }: Setting): Promise<Ground> {
  await mesh.node.startForwarder();
  const endpoint = await mesh.node.startEndpoint('nse-1', { ...service, payload });
  const client = await mesh.node.startClient('nsc-1', { services: ['kernel://svc-1/nsm-1'], environment });
  const pings = new Pings(client.namespace, await client.otherSide('nsm-1'));
  mesh.onRemove(() => pings.abandon());
  await pings.answered(100);
  return { endpoint, client, pings };
}

async function healed(t: ExecutionContext, mesh: Mesh, ground: Ground): Promise<void> {
  const { client } = ground;
  await eventually('nsc says that it healed', async () => count(client.process, 'Heal success') > 0, 60_000).catch(
    (error: unknown) => {
      const logs = [mesh.node.forwarder.process, client.process, mesh.node.manager].map(({ output }) =>
        output.slice(-4000),
      );
      throw new Error([String(error), ...logs].join('\n'));
    },
  );
  await trafficIsBack(t, mesh, ground);
}

async function trafficIsBack(t: ExecutionContext, mesh: Mesh, { client, pings }: Ground): Promise<void> {
  await pings.answered(200);
  const { sent, received, gap } = await pings.stop();
  t.log(`without answers for ${gap} ms at most; ${sent - received} of ${sent} pings lost`);
  const wires = await mesh.node.forwarder.wires();
  t.is(wires.length, 1);
  t.is(wires[0]?.phase, 'up');
  t.deepEqual(await client.namespace.interfaces(), ['nsm-1']);
}
