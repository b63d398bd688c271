// SPDX-License-Identifier: Apache-2.0
// MEMIF: shared memory with an application. The forwarder listens towards a client and connects to an endpoint.

import { otherEnd } from '../../model/wire.ts';
import type { Connection, Mechanism } from '../generated/connection.ts';
import { mechanismClass, mechanismType, parameter } from '../names.ts';
import { deliversByMac } from './gateways.ts';
import type { CallerSideParts, NsmMechanism } from './mechanism.ts';
import { given, macOf, mustHaveNamespace, namespaceOf } from './parameters.ts';

export const memif: NsmMechanism = {
  type: mechanismType.memif,
  taken: 'always',
  completed: (parts, connection, asked) => {
    mustHaveNamespace(asked);
    return { ...asked, parameters: { ...asked.parameters, [parameter.socketFile]: socketOf(parts, connection) } };
  },
  endOf: (agreement, end) => {
    const { connection, pathOf } = agreement;
    const { parameters } = agreement[end];
    return {
      memif: {
        ...namespaceOf(parameters, pathOf),
        socket: given(parameters, parameter.socketFile),
        role: end === 'client' ? 'server' : 'client',
        ...(deliversByMac(agreement[otherEnd(end)]) ? macOf(connection, end) : {}),
      },
    };
  },
};

export function memifOffer(): Mechanism {
  return { cls: mechanismClass.local, type: mechanismType.memif, parameters: { [parameter.inodeUrl]: '' } };
}

/** Derived from the connection, so that the socket is the same after a restart. */
function socketOf({ temporaryDirectory }: CallerSideParts, { id }: Connection): string {
  return `@${temporaryDirectory}/memif/${id}/memif.socket`;
}
