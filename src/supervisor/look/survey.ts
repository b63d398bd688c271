// SPDX-License-Identifier: Apache-2.0
// Reads each namespace once for all wires that have ends in it. The result is stale at once: what it shows in place was in place a
// moment ago; everything else must be observed again.

import type { Dataplane, NamespaceEntry } from '../../dataplane/types.ts';
import { HostDeviceFinder } from '../../machine/host-devices.ts';
import { markPrefix, parseMark } from '../../machine/marks.ts';
import { NamespaceFinder } from '../../machine/namespaces.ts';
import { type FoundInterface, findInterfaces } from '../../machine/observation.ts';
import { TimeSlices } from '../store/time-slices.ts';

type ByWire = Map<string, FoundInterface[]>;

export class Survey {
  /** Looks up each path and each device once. */
  readonly finder: NamespaceFinder;
  readonly hostDevices: Pick<HostDeviceFinder, 'mtuOf'>;
  readonly #dataplane: Dataplane;
  readonly #node: string;
  readonly #namespaces = new Map<string, Promise<ByWire>>();
  readonly #slices = new TimeSlices();

  constructor(dataplane: Dataplane, node: string) {
    this.#dataplane = dataplane;
    this.#node = node;
    const devices = new HostDeviceFinder(dataplane);
    this.hostDevices = { mtuOf: once((device) => devices.mtuOf(device)) };
    const all = once(() => dataplane.listNamespaces());
    this.finder = new NamespaceFinder({
      identifyNamespace: once((path) => dataplane.identifyNamespace(path)),
      listNamespaces: () => all(''),
    });
  }

  /** The interfaces with the mark of the wire. They are returned once and forgotten, to save memory. */
  async take(wire: string, namespaces: readonly NamespaceEntry[]): Promise<FoundInterface[]> {
    await this.#slices.next();
    const found: FoundInterface[] = [];
    for (const namespace of namespaces) {
      const byWire = await this.#look(namespace);
      found.push(...(byWire.get(wire) ?? []));
      byWire.delete(wire);
    }
    return found;
  }

  #look(namespace: NamespaceEntry): Promise<ByWire> {
    const key = `${namespace.device}:${namespace.inode}`;
    const known = this.#namespaces.get(key) ?? this.#readNamespace(namespace);
    this.#namespaces.set(key, known);
    return known;
  }

  async #readNamespace(namespace: NamespaceEntry): Promise<ByWire> {
    const search = { namespaces: [namespace], names: [], aliasPrefix: markPrefix(this.#node), details: true };
    const byWire: ByWire = new Map();
    for (const one of await findInterfaces(this.#dataplane, search)) {
      const wire = parseMark(this.#node, one.info.alias)?.wire;
      if (wire === undefined) continue;
      const others = byWire.get(wire);
      if (others) others.push(one);
      else byWire.set(wire, [one]);
    }
    return byWire;
  }
}

function once<T>(ask: (about: string) => Promise<T>): (about: string) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return (about) => {
    const answer = answers.get(about) ?? ask(about);
    answers.set(about, answer);
    return answer;
  };
}
