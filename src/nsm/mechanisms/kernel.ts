// SPDX-License-Identifier: Apache-2.0
// KERNEL: an interface in the namespace of a client or an endpoint; with a token, a virtual function.

import { randomBytes } from 'node:crypto';
import type { EndName } from '../../model/wire.ts';
import type { EndDocument } from '../../wire/wire-document.ts';
import type { Connection, Mechanism } from '../generated/connection.ts';
import { mechanismClass, mechanismType, parameter } from '../names.ts';
import { endsInDevice, resourceFor } from './devices.ts';
import { halfOf, neighboursOf, policiesOf, routesOf } from './ip-context.ts';
import type { Agreement, Known, NsmMechanism, Parameters } from './mechanism.ts';
import { given, macOf, mustHaveNamespace, namespaceOf } from './parameters.ts';

export const kernel: NsmMechanism = {
  type: mechanismType.kernel,
  taken: 'always',
  completed: (_, connection, asked) => ({ ...asked, parameters: named(connection, asked) }),
  endOf,
};

/** Offers the present interface name: without it, an endpoint chooses a new one (sdk, common/mechanisms/kernel/server.go). */
export function kernelOffer({ standing }: Known): Mechanism {
  const parameters: Parameters = standing?.type === 'kernel' ? { [parameter.interfaceName]: standing.interface } : {};
  return { cls: mechanismClass.local, type: mechanismType.kernel, parameters };
}

function named({ networkService }: Connection, asked: Mechanism): Parameters {
  mustHaveNamespace(asked);
  const { parameters } = asked;
  if (parameters[parameter.interfaceName]) return parameters;
  return { ...parameters, [parameter.interfaceName]: generatedName(networkService) };
}

/** A name of 15 characters: IFNAMSIZ without the terminating zero (linux/if.h). */
function generatedName(service: string): string {
  const head = service.replace(/[^A-Za-z0-9_-]/g, '').slice(0, 10);
  return `${head}-${randomBytes(8).toString('hex')}`.slice(0, 15);
}

function endOf(agreement: Agreement, end: EndName): EndDocument {
  const { connection, pathOf, devices } = agreement;
  const mechanism = agreement[end];
  const { parameters } = mechanism;
  const { context } = connection;
  const half = halfOf(context, end);
  return {
    kernel: {
      ...namespaceOf(parameters, pathOf),
      interface: given(parameters, parameter.interfaceName),
      ...macOf(connection, end),
      addresses: [...new Set(half.addresses)],
      routes: routesOf(half),
      neighbours: neighboursOf(context, half.addresses),
      ...(end === 'client' ? { policies: policiesOf(context, half) } : {}),
      allowPing: true,
      ...(endsInDevice(mechanism) ? { device: { resource: resourceFor(devices, mechanism) } } : {}),
    },
  };
}
