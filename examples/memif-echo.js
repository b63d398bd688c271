// SPDX-License-Identifier: Apache-2.0
// A memif socket that answers pings: frames go to a TUN interface, where the kernel replies. Needs root.
//   node memif-echo.js [SOCKET [ADDRESS/LENGTH]]
import { Dataplane } from 'crosswire';

const [socket = '/run/memif-echo.sock', address = '10.99.0.1/24'] = process.argv.slice(2);
const echo = { netns: '', name: 'echo0', alias: 'memif-echo' }; // '' is this process's own network namespace
const dataplane = new Dataplane();
await dataplane.start();
await dataplane.createTap({ ...echo, payload: 'ip', mtu: 1500, txQueueLength: 1000 });
await dataplane.changeInterface({ ...echo, addAddresses: [address], up: true });

const memif = { role: 'server', id: 0, secret: '', rings: 1, ringSize: 1024, bufferSize: 2048, allowUnsealed: false };
await dataplane.startWire({
  name: 'echo',
  payload: 'ip',
  client: { kind: 'memif', name: 'echo/client', socket, netns: '', payload: 'ip', mtu: 1500, ...memif },
  endpoint: { kind: 'tap', name: 'echo/endpoint', netns: '', interface: echo.name, payload: 'ip', mtu: 1500 },
});
console.log(`answering on ${socket}; end with SIGTERM or Control-C`);

const alive = setInterval(() => {}, 2 ** 30); // the engine's threads keep no process alive
const end = async () => {
  clearInterval(alive);
  await dataplane.close();
  await dataplane.deleteInterface(echo.netns, echo.name, echo.alias);
};
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, end);
