// SPDX-License-Identifier: Apache-2.0
// The ten counters of NSM's own forwarder, and the metrics of a forwarder in a mesh.

import { spawnSync } from 'node:child_process';
import test from 'ava';
import { Exposition } from '../../../src/metrics/exposition.ts';
import type { MeshConnection } from '../../../src/metrics/mesh-connection.ts';
import { MeshMetrics } from '../../../src/metrics/mesh-metrics.ts';
import { ProcessMetrics } from '../../../src/metrics/process-metrics.ts';
import type { WireCounters } from '../../../src/model/status.ts';
import { counters } from '../../fakes/wires.ts';
import { findProgram, testWith } from '../../support/requires.ts';

const processMetrics = new ProcessMetrics(() => 0);
const past53 = 2n ** 53n + 1n;

const connection = (id: string, more: Partial<MeshConnection> = {}): MeshConnection => ({
  id,
  wire: `nsm-${id}`,
  networkService: 'firewall',
  index: 2,
  segments: 4,
  client: 'nsc-1-0',
  clientInterface: 'KERNEL/nsm-1',
  endpointInterface: 'KERNEL/fw-1',
  ...more,
});

function scraped(connections: readonly MeshConnection[], byWire: ReadonlyMap<string, WireCounters>, prefix?: string) {
  const mesh = new MeshMetrics();
  mesh.connections = () => connections;
  const source = {
    list: async () => [],
    counters: async () => byWire,
    health: () => [],
    workers: () => [],
    throttling: async () => null,
    devices: async () => ({ physicalFunctions: [], devices: [], lost: [] }),
  };
  const settings = { source, process: processMetrics, mesh, version: '0.1.0' };
  const exposition = new Exposition({ ...settings, compat: 'nsm', ...(prefix ? { compatPrefix: prefix } : {}) });
  return { mesh, text: async () => Buffer.concat(await exposition.render()).toString() };
}

const linesOf = (text: string, start: string) => text.split('\n').filter((line) => line.startsWith(start));

test('ten counters with the labels of sdk-vpp; the client side is the onward one', async (t) => {
  const ends = counters(
    { rxBytes: 1n, txBytes: 2n, rxPackets: 3n, txPackets: 4n, drops: { tx_full: 5n, too_big: 6n } },
    { rxBytes: past53, txBytes: 8n, rxPackets: 9n, txPackets: 10n, drops: {} },
  );
  const text = await scraped([connection('c1')], new Map([['nsm-c1', ends]])).text();
  const labels =
    '{connection_id="c1",network_service="firewall",nsc="nsc-1-0",nsc_interface="KERNEL/nsm-1",nse_interface="KERNEL/fw-1"}';
  t.deepEqual(linesOf(text, 'server_'), [
    `server_rx_bytes_total${labels} 1`,
    `server_tx_bytes_total${labels} 2`,
    `server_rx_packets_total${labels} 3`,
    `server_tx_packets_total${labels} 4`,
    `server_drops_total${labels} 11`,
  ]);
  t.deepEqual(linesOf(text, 'client_'), [
    `client_rx_bytes_total${labels} 9007199254740993`,
    `client_tx_bytes_total${labels} 8`,
    `client_rx_packets_total${labels} 9`,
    `client_tx_packets_total${labels} 10`,
    `client_drops_total${labels} 0`,
  ]);
  t.true(text.includes('# TYPE client_drops_total counter\n'));
});

test('over two nodes each forwarder names the interface at its own end only', async (t) => {
  const near = connection('near', { segments: 6, index: 2 });
  const far = connection('far', { segments: 6, index: 4 });
  const text = await scraped([near, far], new Map([near, far].map(({ wire }) => [wire, counters()]))).text();
  t.regex(text, /^client_drops_total\{connection_id="near",.*nsc_interface="KERNEL\/nsm-1",nse_interface=""\} 0$/m);
  t.regex(text, /^client_drops_total\{connection_id="far",.*nsc_interface="",nse_interface="KERNEL\/fw-1"\} 0$/m);
});

test('a prefix; a series goes with its connection; one whose wire has no counters has none', async (t) => {
  const connections = [connection('a'), connection('b'), connection('unmade')];
  const byWire = new Map(['nsm-a', 'nsm-b'].map((wire) => [wire, counters()]));
  const { text } = scraped(connections, byWire, 'nsm_vpp');
  t.is(linesOf(await text(), 'nsm_vpp_client_rx_bytes_total{').length, 2);
  connections.shift();
  t.deepEqual(
    linesOf(await text(), 'nsm_vpp_client_rx_bytes_total{').map((line) => line.slice(0, 50)),
    ['nsm_vpp_client_rx_bytes_total{connection_id="b",ne'],
  );
});

test('calls by outcome, connections and the registration', async (t) => {
  const { mesh, text } = scraped([connection('a')], new Map());
  t.true((await text()).includes('crosswire_nsm_registered 0\n'));
  const until = new Date(Date.now() + 60_000);
  mesh.registered(until);
  mesh.answered('request', 'ok', 0.03);
  mesh.answered('request', 'permission_denied', 0.001);
  const first = await text();
  t.true(first.includes('crosswire_nsm_calls_total{call="request",outcome="ok"} 1\n'));
  t.true(first.includes('crosswire_nsm_calls_total{call="close",outcome="ok"} 0\n'), 'from zero on');
  t.true(first.includes('crosswire_nsm_calls_total{call="request",outcome="permission_denied"} 1\n'));
  t.true(first.includes('crosswire_nsm_call_seconds_bucket{le="0.05",call="request"} 2\n'));
  t.true(first.includes('crosswire_nsm_connections 1\n'));
  t.true(first.includes('crosswire_nsm_registered 1\n'));
  t.true(first.includes(`crosswire_nsm_registration_expiry_timestamp_seconds ${until.getTime() / 1000}\n`));
  mesh.registrationFailed();
  const second = await text();
  t.true(second.includes('crosswire_nsm_registered 0\n'));
  t.true(second.includes('crosswire_nsm_registrations_total{outcome="failed"} 1\n'));
  mesh.registered(new Date(Date.now() - 1));
  t.true((await text()).includes('crosswire_nsm_registered 0\n'), 'one that expired is none');
});

testWith(['prometheus'], 'promtool finds nothing to complain about in a mesh', async (t) => {
  const { mesh, text } = scraped([connection('a')], new Map([['nsm-a', counters()]]), 'nsm');
  mesh.answered('close', 'ok', 1);
  const promtool = findProgram('promtool') as string;
  const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], {
    input: await text(),
    encoding: 'utf8',
  });
  t.is(`${stdout}${stderr}`, '');
  t.is(status, 0);
});
