// SPDX-License-Identifier: Apache-2.0
// A network namespace that exists only as a descriptor, sent with a call, is found by its inode and entered by its path.

import { openSync, closeSync, statSync } from 'node:fs';
import { NativeDataplane } from '../../src/dataplane/dataplane.ts';
import type { HeldFile } from '../../src/grpc/unix-sockets.ts';
import { check, soon, Transport } from '../nsm/support/transport.ts';
import { Namespace } from '../support/namespace.ts';
import { testWith } from '../support/requires.ts';

testWith(['root'], 'a namespace arrives as a descriptor and is used by its path', async (t) => {
  const parts = await Transport.make();
  const namespace = await Namespace.make('sent');
  const dataplane = new NativeDataplane();
  try {
    const own = statSync('/proc/self/ns/net').ino;
    const inode = statSync(namespace.path).ino;
    let held: HeldFile | undefined;
    const server = parts.server(async ({ request }, { descriptors }) => {
      held = await descriptors?.receive(request.service, soon());
    });
    await server.listen(parts.url);
    const hop = await parts.dialer().dial(parts.url, soon());
    await hop.unary(check, { service: (await hop.peer.descriptors?.send(namespace.path)) as string });
    const { path } = held as HeldFile;
    await namespace.run('ip', 'link', 'add', 'only-here', 'type', 'veth', 'peer', 'name', 'neither-there');
    await namespace.remove();
    t.is(statSync(path).ino, inode);
    t.not(inode, own);
    closeSync(openSync(path, 'r')); // the received descriptor is O_PATH; opened again it works with setns(2)
    const interfaces = await dataplane.listInterfaces({ netns: path, names: ['only-here'] });
    t.deepEqual(
      interfaces.map(({ name }) => name),
      ['only-here'],
    );
    held?.close();
  } finally {
    await namespace.remove().catch(() => {});
    await parts.remove();
  }
});
