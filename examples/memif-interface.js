// SPDX-License-Identifier: Apache-2.0
// An interface in a network namespace whose other end is a memif socket of VPP, DPDK or memif-echo.js. Needs root.
//   node memif-interface.js NETNS SOCKET ADDRESS/LENGTH      NETNS is a path, such as /run/netns/blue
import { CrosswireError, Dataplane } from 'crosswire';

const [netns, socket, address] = process.argv.slice(2);
const tun = { netns, name: 'memif0', alias: 'memif-interface' };
const dataplane = new Dataplane();
await dataplane.start();
try {
  await dataplane.createTap({ ...tun, payload: 'ip', mtu: 1500, txQueueLength: 1000 });
} catch (error) {
  if (!(error instanceof CrosswireError)) throw error;
  console.error(`${error.code}: ${error.message}`); // the code is stable, and docs/errors.md explains it
  process.exit(1);
}
await dataplane.changeInterface({ ...tun, addAddresses: [address], up: true });

const memif = { role: 'client', id: 0, secret: '', rings: 1, ringSize: 1024, bufferSize: 2048, allowUnsealed: false };
const wire = await dataplane.startWire({
  name: 'attach',
  payload: 'ip',
  client: { kind: 'tap', name: 'attach/client', netns, interface: tun.name, payload: 'ip', mtu: 1500 },
  endpoint: { kind: 'memif', name: 'attach/endpoint', socket, netns: '', payload: 'ip', mtu: 1500, ...memif },
});
// A client tries until the server is there.
while (!dataplane.describeWire(wire).endpoint.up) await new Promise((resolve) => setTimeout(resolve, 50));
console.log(`${tun.name} is connected to ${socket}; end with SIGTERM or Control-C`);

const alive = setInterval(() => {}, 2 ** 30); // the engine's threads keep no process alive
const end = async () => {
  clearInterval(alive);
  await dataplane.close();
  await dataplane.deleteInterface(tun.netns, tun.name, tun.alias);
};
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, end);
