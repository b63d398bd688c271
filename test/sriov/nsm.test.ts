// SPDX-License-Identifier: Apache-2.0
// A pod's virtual function from kubelet to the wire: kubelet gives a token, the client uses it in its Request, and the NIC carries
// the frames to an endpoint with its own device. Then the same for an application that drives the function itself.
//   client (namespace) ── VF of the first NIC ══ hub ══ second NIC ── endpoint (namespace)
// kubelet is a FAKE that speaks the real API (test/kubelet has the real one); manager, client and endpoint are this
// project's own.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { FakeKubelet } from '../fakes/kubelet.ts';
import { Requester } from '../nsm/support/requester.ts';
import { ControlGroup } from '../support/control-group.ts';
import { LocalMesh } from '../support/local-mesh.ts';
import { testWith } from '../support/requires.ts';
import { eventually, run } from '../support/shell.ts';
import { driverOf } from './support/forwarder.ts';
import { bringUp, findLink, link, reaches } from './support/links.ts';
import { firstNic, secondNic } from './support/physical-function.ts';

const resource = 'worker.domain/10G';
const other = 'worker.domain/intel';
const sriovFile = JSON.stringify({
  physicalFunctions: {
    [firstNic.pci]: {
      pfKernelDriver: 'igb',
      vfKernelDriver: 'igbvf',
      capabilities: ['10G', 'intel'],
      serviceDomains: ['worker.domain'],
    },
  },
});

interface Devices {
  readonly devices: readonly { readonly pci: string; readonly state: string; readonly holder?: { wire: string } }[];
}

testWith(
  ['root', 'ping'],
  'a token, a virtual function, a wire of the NIC, and all of it given back; KERNEL, then VFIO',
  async (t) => {
    t.timeout(600_000);
    const folder = mkdtempSync(join(tmpdir(), 'crosswire-sriov-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, 'sriov.config'), sriovFile);
    t.teardown(() => firstNic.remove());
    const vfs = await firstNic.make(2);
    const names = await Promise.all(vfs.map((vf) => vf.appears()));

    const kubelet = new FakeKubelet();
    t.teardown(() => kubelet.close());
    await kubelet.start();
    const groups = join(folder, 'devices');
    mkdirSync(groups);
    await run('mount', '-t', 'cgroup', '-o', 'devices', 'none', groups);
    t.teardown(() => run('umount', groups));
    const mesh = await LocalMesh.start({
      NSM_CGROUP_PATH: groups,
      NSM_VFIO_PATH: '/dev/vfio',
      NSM_SRIOV_CONFIG_FILE: join(folder, 'sriov.config'),
      NSM_DEVICE_PLUGIN_PATH: kubelet.directory,
      NSM_POD_RESOURCES_PATH: kubelet.podResourcesDirectory,
    });
    t.teardown(() => mesh.remove());
    const healthy = (of: string, count: number) =>
      eventually(`${count} devices of ${of}`, async () => kubelet.healthy(of).length === count);
    await healthy(resource, 2);

    const [token = ''] = kubelet.healthy(resource);
    const { containerResponses } = await kubelet.allocate(resource, token);
    mesh.environment = { ...mesh.environment, ...containerResponses[0]?.envs };

    const endpoint = await mesh.namespace('nse');
    const port = secondNic.interface;
    t.teardown(() => endpoint.run('ip', 'link', 'set', port, 'netns', '1').catch(() => {}));
    await run('ip', 'link', 'set', port, 'netns', endpoint.name);
    await bringUp(port, endpoint);
    await endpoint.run('ip', 'address', 'add', '172.16.1.100/31', 'dev', port);
    const options = ['--cidr', '172.16.1.100/31', '--payload', 'ethernet'];
    await mesh.endpoint('noop://fw', endpoint, ...options);

    const client = await mesh.namespace('nsc');
    const connected = await mesh.client(`kernel://fw/nsm-1?sriovToken=${resource}`, client);
    t.like(connected.answer, { interface: 'nsm-1', payload: 'ETHERNET', clientAddresses: ['172.16.1.101/32'] });
    const [wire] = await mesh.wires();
    t.like(wire, { phase: 'up', path: 'nic' });
    const { devices } = await mesh.get<Devices>('devices');
    t.deepEqual(devices.map(({ state }) => state).toSorted(), ['free', 'leased']);
    t.is(devices.find(({ state }) => state === 'leased')?.holder?.wire, wire?.name);
    await healthy(other, 1); // of two: the same VFs under another name
    await healthy(resource, 2);
    await reaches(client, '172.16.1.100');
    await client.run('ping', '-q', '-c', '20', '-i', '0.05', '-W', '5', '172.16.1.100');

    const { ifindex } = await link('nsm-1', client);
    await mesh.forwarder.stop('SIGKILL');
    await mesh.startForwarder();
    await eventually('the wire is up again', async () => (await mesh.wires())[0]?.phase === 'up');
    // Until the client has sent a new Request, its Close would go to the forwarder that is gone.
    const requests = async () => (await mesh.metrics()).sum('crosswire_nsm_calls_total', { call: 'request' });
    await eventually('the client has asked the new forwarder', async () => (await requests()) > 0n);
    t.is((await link('nsm-1', client)).ifindex, ifindex);
    await healthy(other, 1);
    await client.run('ping', '-q', '-c', '5', '-i', '0.05', '-W', '5', '172.16.1.100');

    await connected.process.stop('SIGTERM');
    const allGivenBack = async () => {
      t.deepEqual(await mesh.wires(), []);
      for (const name of names) t.truthy(await findLink(name));
      t.true((await mesh.get<Devices>('devices')).devices.every(({ state }) => state === 'free'));
      await healthy(other, 2);
    };
    await allGivenBack();

    t.log('VFIO: an application of a pod drives the function itself');
    const pod = new ControlGroup({ version: 1, mount: groups });
    t.teardown(() => pod.remove());
    await pod.confine('1:3');
    t.false(await pod.opens('/dev/vfio/vfio'));
    const requester = await Requester.start(mesh, 'application', mesh.managerUrl);
    const asked = { cgroupDir: basename(pod.path), tokenID: token };
    const connection = await requester.request({ service: 'fw', mechanism: 'VFIO', parameters: asked });
    const given = connection.mechanism?.parameters ?? {};
    t.like(given, asked);
    t.is(driverOf(given['pciAddress'] ?? ''), 'vfio-pci');
    t.like((await mesh.wires())[0], { phase: 'up', path: 'nic' });
    // Makes the device nodes like NSM's client.
    const nodes = { container: ['vfioMajor', 'vfioMinor'], group: ['deviceMajor', 'deviceMinor'] } as const;
    for (const [name, numbers] of Object.entries(nodes)) {
      const node = join(folder, name);
      await run('mknod', node, 'c', ...numbers.map((number) => given[number] ?? ''));
      t.true(await pod.opens(node), name);
    }
    const { iommuGroup = '', pciAddress = '' } = given;
    t.regex(
      await run(resolve('build/native-tools/vfio_open'), iommuGroup, pciAddress),
      /^open, region 0 has \d+ bytes/,
    );
    await requester.close(connection);
    t.false(await pod.opens('/dev/vfio/vfio'));
    t.is(driverOf(pciAddress), 'igbvf');
    await allGivenBack();
  },
);
