// SPDX-License-Identifier: Apache-2.0
// A node with a host device, and pods that share it:
//
//   pod 0: cw0 ─┐
//   pod 1: cw0 ─┼─ node: uplink ── veth ── far: outside
//   pod 2: cw0 ─┘

import { Daemon } from './daemon.ts';
import { Namespace } from './namespace.ts';
import { Outside, outsideAddress } from './outside.ts';
import { kernelEnd, vlanEnd, type WireSpec, wireFile } from './wires.ts';

export class SharedDevice {
  readonly node: Namespace;
  readonly pods: readonly Namespace[];
  readonly daemon: Daemon;
  readonly #outside: Outside;

  private constructor(node: Namespace, outside: Outside, pods: readonly Namespace[], daemon: Daemon) {
    this.node = node;
    this.#outside = outside;
    this.pods = pods;
    this.daemon = daemon;
  }

  static async make(pods: number, ...options: string[]): Promise<SharedDevice> {
    const [node, far] = [await Namespace.make('node'), await Namespace.make('far')];
    const outside = await Outside.behind(node, far);
    const made: Namespace[] = [];
    for (let at = 0; at < pods; at++) made.push(await Namespace.make(`p${at}`));
    return new SharedDevice(node, outside, made, await Daemon.startInside(node, ...options));
  }

  get outside(): Namespace {
    return this.#outside.namespace;
  }

  peer(id: number, address?: string): Promise<string> {
    return this.#outside.peer(id, address);
  }

  wire(at: number, id: number, more: object = {}, device = 'uplink'): WireSpec {
    const client = kernelEnd(this.pod(at), 'cw0', { addresses: [addressOf(at) + '/24'], ...more }, `pod-${at}`);
    return { name: `w${at}`, client, endpoint: vlanEnd(device, id) };
  }

  async join(id: number): Promise<void> {
    await this.daemon.mustApply(wireFile(...this.pods.map((_, at) => this.wire(at, id))));
  }

  /** Pings once from every pod, and enters each pod's address into the neighbour table of the outside. */
  async greet(peer: string): Promise<void> {
    for (const [at, pod] of this.pods.entries()) {
      await ping(pod, outsideAddress);
      const { address } = await linkOf(pod);
      await this.outside.run(
        'ip',
        'neigh',
        'replace',
        addressOf(at),
        'lladdr',
        address,
        'dev',
        peer,
        'nud',
        'permanent',
      );
    }
  }

  pod(at: number): Namespace {
    const found = this.pods[at];
    if (!found) throw new Error(`there is no pod ${at}`);
    return found;
  }

  async remove(): Promise<void> {
    await this.daemon.destroy();
    for (const one of [this.node, this.outside, ...this.pods]) await one.remove().catch(() => {}); // a test may have removed it
  }
}

export function addressOf(pod: number): string {
  return `10.78.0.${pod + 1}`;
}

export const ping = (from: Namespace, to: string, ...more: string[]) =>
  from.run('ping', '-q', '-c', '3', '-i', '0.05', '-W', '1', ...more, to);

export interface Link {
  readonly ifindex: number;
  readonly ifname: string;
  readonly mtu: number;
  readonly address: string;
  readonly flags: readonly string[];
  readonly ifalias: string;
  readonly linkinfo: { readonly info_kind: string; readonly info_data: { mode?: string; id?: number } };
  readonly stats64: { readonly tx: { packets: number }; readonly rx: { packets: number } };
}

export async function linkOf(namespace: Namespace, name = 'cw0'): Promise<Link> {
  const [one] = JSON.parse(await namespace.run('ip', '-j', '-d', '-s', 'link', 'show', name)) as Link[];
  return one as Link;
}
