// SPDX-License-Identifier: Apache-2.0
// The table of mechanisms, in the order in which people read them.

import type { z } from 'zod';
import type { Frozen } from '../values/frozen.ts';
import { kernel } from './kernel.ts';
import type { InterfaceTraits, MechanismKind, TunnelOf, TunnelReach } from './mechanism.ts';
import { memif } from './memif.ts';
import { vfio } from './vfio.ts';
import { vlan } from './vlan.ts';
import { vxlan } from './vxlan.ts';
import { wireguard } from './wireguard.ts';

const table = { kernel, memif, vxlan, vlan, vfio, wireguard };

type Table = typeof table;
export type MechanismType = keyof Table;
type Wired<Type extends MechanismType> = Frozen<z.output<Table[Type]['wired']>>;
export type Mechanism = { [Type in MechanismType]: Wired<Type> }[MechanismType];
export type TunnelMechanism = {
  [Type in MechanismType]: Table[Type] extends { readonly reach: { readonly at: 'tunnel' } } ? Wired<Type> : never;
}[MechanismType];
/** The parameters of a tunnel's device, wanted or found. */
export type Tunnel = TunnelOf<TunnelMechanism>;

/** The table with the types of mechanisms erased. A kind takes only values of its own mechanism; the cast loses that. */
export const mechanisms = table as unknown as Readonly<Record<MechanismType, MechanismKind>>;
/** The keys of an end in a document. */
export const mechanismKeys = Object.fromEntries(
  Object.entries(table).map(([type, { document }]) => [type, document.optional()]),
) as { [Type in MechanismType]: z.ZodOptional<Table[Type]['document']> };
export const mechanismTypes = Object.keys(table) as readonly MechanismType[];

export function kindOf({ type }: { readonly type: MechanismType }): MechanismKind {
  return mechanisms[type];
}

export function isTunnel(mechanism: Mechanism): mechanism is TunnelMechanism {
  return kindOf(mechanism).reach.at === 'tunnel';
}

export function tunnelReach(type: Tunnel['kind']): TunnelReach<TunnelMechanism> {
  return mechanisms[type].reach as unknown as TunnelReach<TunnelMechanism>;
}

const traits = new Map(Object.values(mechanisms).flatMap(({ interfaces }) => Object.entries(interfaces)));

/** By the kernel's name for the kind of an interface; undefined: no mechanism makes such interfaces. */
export function interfaceTraits(kind: string): InterfaceTraits | undefined {
  return traits.get(kind);
}
