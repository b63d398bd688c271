// SPDX-License-Identifier: Apache-2.0
// The caller's mechanism as we answer it: what it left open is filled in, what it said comes back unchanged.

import { randomBytes } from 'node:crypto';
import { CrosswireError } from '../../model/error.ts';
import type { Connection, Mechanism } from '../generated/connection.ts';
import { mechanismType, parameter } from '../names.ts';
import { parseInodeUrl } from '../inode-url.ts';
import { type TunnelSettings, tunnelMtu } from './offers.ts';
import { type VniBook, vniParity } from './vni.ts';
import type { WireguardSide } from './wireguard.ts';

export interface CallerSideParts {
  readonly tunnel?: TunnelSettings;
  readonly vnis: VniBook;
  /** Our side, where the caller asks for WireGuard. */
  readonly wireguard?: WireguardSide | undefined;
  /** Where abstract memif sockets are named after. */
  readonly temporaryDirectory: string;
}

export function completed(parts: CallerSideParts, connection: Connection, asked: Mechanism): Mechanism {
  const { parameters } = asked;
  switch (asked.type) {
    case mechanismType.kernel:
      return { ...asked, parameters: kernelParameters(connection, parameters) };
    case mechanismType.memif:
      mustHaveNamespace(asked);
      return { ...asked, parameters: { ...parameters, [parameter.socketFile]: socketOf(parts, connection) } };
    case mechanismType.vfio:
      mustHaveControlGroup(asked);
      return asked;
    case mechanismType.noop:
      return asked;
    case mechanismType.wireguard:
      return { ...asked, parameters: wireguardParameters(parts, parameters) };
    default:
      return { ...asked, parameters: vxlanParameters(parts, connection, parameters) };
  }
}

function kernelParameters(connection: Connection, parameters: Mechanism['parameters']): Mechanism['parameters'] {
  mustHaveNamespace({ cls: '', type: mechanismType.kernel, parameters });
  if (parameters[parameter.interfaceName]) return parameters;
  return { ...parameters, [parameter.interfaceName]: generatedName(connection.networkService) };
}

/** 15 characters in all, IFNAMSIZ without its zero (linux/if.h). */
function generatedName(service: string): string {
  const head = service.replace(/[^A-Za-z0-9_-]/g, '').slice(0, 10);
  return `${head}-${randomBytes(8).toString('hex')}`.slice(0, 15);
}

function mustHaveNamespace({ type, parameters }: Mechanism): void {
  const url = parameters[parameter.inodeUrl];
  if (parseInodeUrl(url)) return;
  throw new CrosswireError({
    code: 'MECHANISM_PARAMETER',
    operation: `read the caller's mechanism ${type}`,
    subject: `${parameter.inodeUrl} '${url ?? ''}'`,
    reason: 'it does not name a network namespace as inode://device/inode',
    hint: 'the namespace must go along as a descriptor on a unix socket',
  });
}

function mustHaveControlGroup({ type, parameters }: Mechanism): void {
  if (parameters[parameter.cgroupDirectory]) return;
  throw new CrosswireError({
    code: 'MECHANISM_PARAMETER',
    operation: `read the caller's mechanism ${type}`,
    subject: parameter.cgroupDirectory,
    reason: 'it is missing: nobody could be let open the device',
    hint: 'clients of NSM name the control group of their container',
  });
}

/** Follows from the connection, so that it is the same after a restart. */
function socketOf({ temporaryDirectory }: CallerSideParts, { id }: Connection): string {
  return `@${temporaryDirectory}/memif/${id}/memif.socket`;
}

function vxlanParameters(
  { tunnel, vnis }: CallerSideParts,
  { id, mechanism: inUse }: Connection,
  asked: Mechanism['parameters'],
): Mechanism['parameters'] {
  if (!tunnel) throw new Error('VXLAN was accepted without a tunnel');
  const parameters: Mechanism['parameters'] = {
    ...asked,
    [parameter.destinationAddress]: tunnel.address,
    [parameter.destinationPort]: String(tunnel.vxlanPort),
    [parameter.mtu]: lesserMtu(asked, tunnelMtu(tunnel.address, tunnel.mtu)),
  };
  const remote = parameters[parameter.sourceAddress] ?? '';
  const given = Number(parameters[parameter.vni] ?? 0);
  if (given > 0 && vnis.hold(remote, given, id)) return parameters;
  if (given > 0 && inUse)
    throw new CrosswireError({
      code: 'MECHANISM_PARAMETER',
      operation: "read the caller's mechanism VXLAN",
      subject: `vni ${given} from ${remote}`,
      reason: 'another connection has it',
      hint: 'leave vni out, and it is chosen here',
    });
  return { ...parameters, [parameter.vni]: String(vnis.choose(remote, vniParity(parameters), id)) };
}

function wireguardParameters(
  { tunnel, wireguard }: CallerSideParts,
  asked: Mechanism['parameters'],
): Mechanism['parameters'] {
  if (!tunnel || !wireguard) throw new Error('WIREGUARD was accepted without a tunnel');
  return {
    ...asked,
    [parameter.destinationAddress]: tunnel.address,
    [parameter.destinationPort]: String(wireguard.port),
    [parameter.destinationPublicKey]: wireguard.publicKey,
    [parameter.mtu]: lesserMtu(asked, tunnelMtu(tunnel.address, tunnel.mtu, 'wireguard')),
  };
}

function lesserMtu(asked: Mechanism['parameters'], own: number): string {
  const theirs = Number(asked[parameter.mtu] ?? 0);
  return String(theirs > 0 && theirs < own ? theirs : own);
}
