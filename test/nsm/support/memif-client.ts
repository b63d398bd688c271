// SPDX-License-Identifier: Apache-2.0
// A client that speaks memif; a Crosswire of its own plays the application.
//   pod: cw0 ── application, in the client's namespace ══ memif ══ forwarder of its node

import type { Connection } from '../../../src/nsm/generated/connection.ts';
import { Daemon } from '../../support/daemon.ts';
import type { Namespace } from '../../support/namespace.ts';
import { kernelEnd, memifEnd, type WireSpec, wireFile } from '../../support/wires.ts';
import type { Mesh } from './mesh.ts';
import type { Node } from './node.ts';
import { Requester } from './requester.ts';

export interface MemifClient {
  readonly requester: Requester;
  readonly connection: Connection;
  /** The client's namespace, which its Requests name. */
  readonly where: Namespace;
  /** The namespace behind the application. */
  readonly pod: Namespace;
  readonly application: Daemon;
  /** Address of the endpoint on the wire. */
  readonly address: string;
}

/** Requests svc-1 from `near`; resolves when the application is connected. */
export async function joinByMemif(mesh: Mesh, near: Node, payload: WireSpec['payload']): Promise<MemifClient> {
  const [where, pod] = [await mesh.namespace('nsc'), await mesh.namespace('pod')];
  const requester = await Requester.start(mesh, 'asker', near.managerUrl);
  const connection = await requester.request({ service: 'svc-1', where, mechanism: 'MEMIF' });
  const { context, mechanism } = connection;
  const [own = '', other = ''] = [context?.ipContext?.srcIpAddrs[0], context?.ipContext?.dstIpAddrs[0]];

  const application = await Daemon.startInside(where);
  mesh.onRemove(() => application.destroy());
  const client = kernelEnd(pod, 'cw0', { addresses: [own], routes: [{ to: other }] });
  const endpoint = memifEnd(mechanism?.parameters['socketfile'] ?? '', 'client', 0);
  await application.mustApply(wireFile({ name: 'application', payload, mtu: context?.MTU ?? 0, client, endpoint }));
  await application.up('application');
  return { requester, connection, where, pod, application, address: other.replace('/32', '') };
}
