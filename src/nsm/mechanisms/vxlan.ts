// SPDX-License-Identifier: Apache-2.0
// VXLAN: a tunnel for Ethernet frames. The called forwarder chooses the identifier (./vni.ts).

import { CrosswireError } from '../../model/error.ts';
import type { Connection } from '../generated/connection.ts';
import { parameter } from '../names.ts';
import type { NsmTunnel, Parameters } from './mechanism.ts';
import { given } from './parameters.ts';
import { answered, sidesOf, tunnelOffer } from './tunnels.ts';
import { VniBook, vniParity } from './vni.ts';

const names = { type: 'VXLAN', wireType: 'vxlan' } as const;

export const vxlan: NsmTunnel<VniBook> = {
  ...names,
  taken: 'as tunnel',
  completed: ({ tunnel, books }, connection, asked) => {
    const parameters = answered(names, tunnel, asked.parameters, tunnel?.ports.vxlan);
    return { ...asked, parameters: withIdentifier(books.of(vxlan), connection, parameters) };
  },
  endOf: (agreement, end) => {
    const { parameters } = agreement[end];
    const { own, other } = sidesOf(agreement, end);
    return {
      vxlan: {
        local: own.address as string,
        remote: other.address as string,
        port: Number(own.port),
        vni: Number(given(parameters, parameter.vni)),
      },
    };
  },
  /** Offers the present identifier: without it, the other node chooses a new one. */
  offer: (tunnel, { standing }) => {
    const vni = standing?.type === 'vxlan' && standing.local === tunnel.address ? standing.vni : undefined;
    return tunnelOffer(names, tunnel, tunnel.ports.vxlan, vni === undefined ? {} : { [parameter.vni]: String(vni) });
  },
  missing: () => ({
    reason: 'this node has no tunnels',
    hint: 'a tunnel needs NSM_TUNNEL_IP, or a default route, and VXLAN in the kernel: see crosswire doctor',
  }),
  createBook: () => new VniBook(),
};

function withIdentifier(book: VniBook, { id, mechanism: inUse }: Connection, parameters: Parameters): Parameters {
  const remote = parameters[parameter.sourceAddress] ?? '';
  const asked = Number(parameters[parameter.vni] ?? 0);
  if (asked > 0 && book.hold(remote, asked, id)) return parameters;
  if (asked > 0 && inUse)
    throw new CrosswireError({
      code: 'MECHANISM_PARAMETER',
      operation: "read the caller's mechanism VXLAN",
      subject: `vni ${asked} from ${remote}`,
      reason: 'another connection has it',
      hint: 'leave vni out, and it is chosen here',
    });
  return { ...parameters, [parameter.vni]: String(book.choose(remote, vniParity(parameters), id)) };
}
