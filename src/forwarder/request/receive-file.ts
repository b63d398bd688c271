// SPDX-License-Identifier: Apache-2.0
// The namespace that the caller's mechanism names, as a descriptor (networkservicemesh/sdk,
// pkg/networkservice/common/mechanisms/recvfd). A peer that only named an inode could get any workload's namespace.

import { CrosswireError } from '../../model/error.ts';
import type { Mechanism } from '../../nsm/generated/connection.ts';
import { isInodeUrl } from '../../nsm/inode-url.ts';
import { parameter } from '../../nsm/names.ts';
import type { Asked } from './attempt.ts';

export async function receiveFile({ files, call }: Asked, { type, parameters }: Mechanism): Promise<void> {
  const url = parameters[parameter.inodeUrl];
  if (!isInodeUrl(url) || (await files.take(url, call.caller, call.signal))) return;
  throw new CrosswireError({
    code: 'MECHANISM_PARAMETER',
    operation: `read the caller's mechanism ${type}`,
    subject: `${parameter.inodeUrl} '${url}'`,
    reason: 'the file cannot have come along: this is no unix socket',
    hint: 'ask for mechanisms of this node on a unix socket; over TCP there are tunnels',
  });
}
