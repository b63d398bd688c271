// SPDX-License-Identifier: Apache-2.0
// Chooses the devices for the ends of a wire from one reading of the inventory. Pure.

import type { DeviceReport, DeviceStatus } from '../../model/device-status.ts';
import { CrosswireError } from '../../model/error.ts';
import { type EndName, endNames } from '../../model/wire.ts';
import type { DeviceWant, DeviceWants } from './devices.ts';
import { chooseDevice } from './pools.ts';

type Chosen = Partial<Record<EndName, string>>;

/** Ends that name an address are served first; ends that need a second device of the same NIC are served last. */
export function chooseDevices(report: DeviceReport, wants: DeviceWants, isTaken: (pci: string) => boolean): Chosen {
  const known = endNames.flatMap((end) => wants[end]?.known ?? []);
  const devices = report.devices.map((one) => (known.includes(one.pci) ? asFree(one) : one));
  const chosen: Chosen = {};
  const ends = endNames.filter((end) => wants[end]).toSorted((a, b) => rank(wants[a]) - rank(wants[b]));
  for (const end of ends) {
    const want = wants[end];
    const [other] = Object.values(chosen);
    if (want) chosen[end] = chooseOne({ ...report, devices }, want, other, (pci) => isTaken(pci) || pci === other);
  }
  return chosen;
}

function rank(want: DeviceWant | undefined): number {
  if (want === undefined || want.choice === 'beside') return 2;
  return 'pci' in want.choice ? 0 : 1;
}

/** The device as it would be without its lease: the lease is this wire's own. */
function asFree(device: DeviceStatus): DeviceStatus {
  const { holder: _, ...rest } = device;
  return { ...rest, state: 'free', refusals: {} };
}

function chooseOne(
  report: DeviceReport,
  want: DeviceWant,
  other: string | undefined,
  isTaken: (pci: string) => boolean,
): string {
  const { choice, mode, known } = want;
  const reachable = report.devices.filter((one) => isReachable(report, one, want, other));
  const there = (pci: string) => report.devices.some((one) => one.pci === pci);
  if (choice !== 'beside' && 'pci' in choice) {
    if (there(choice.pci) && !reachable.some(({ pci }) => pci === choice.pci)) throw unjoined(choice.pci, want, other);
    checkIsFunction(report, choice.pci);
    return chooseDevice(report, choice, mode, isTaken).pci;
  }
  const wish = choice === 'beside' ? { beside: other ?? '' } : choice;
  const mayStay = (one: DeviceStatus) =>
    one.pci === known && !isTaken(one.pci) && ('beside' in wish || one.resources.includes(wish.resource));
  const stays = reachable.find(mayStay);
  if (stays) return stays.pci;
  const within = 'beside' in wish ? report.devices : reachable;
  return chooseDevice({ ...report, devices: within }, wish, mode, isTaken).pci;
}

/** Whether the wire's other end can be reached: it is on the same NIC, or on a NIC of the same service domain, which means
 *  that a cable joins the two. */
function isReachable(report: DeviceReport, one: DeviceStatus, { port, choice }: DeviceWant, other?: string): boolean {
  const parentOf = (pci: string) => report.physicalFunctions.find((parent) => parent.pci === pci);
  if (port !== undefined && parentOf(one.physicalFunction)?.interface !== port) return false;
  const opposite = report.devices.find(({ pci }) => pci === other);
  if (!opposite || one.physicalFunction === opposite.physicalFunction) return true;
  if (choice === 'beside') return false;
  const domains = domainsOf(opposite);
  return domainsOf(one).some((domain) => domains.includes(domain));
}

function domainsOf({ resources }: DeviceStatus): string[] {
  return resources.map((resource) => resource.split('/')[0] ?? '');
}

function checkIsFunction({ physicalFunctions }: DeviceReport, pci: string): void {
  const parent = physicalFunctions.find((one) => one.pci === pci);
  if (!parent) return;
  const name = parent.interface ?? 'the NIC';
  const reason = `it is ${name} itself, a physical function, which is never lent`;
  const hint = `name one of its virtual functions: \`crosswire get devices\` lists them`;
  throw new CrosswireError({ code: 'DEVICE_UNAVAILABLE', operation: 'find a device', subject: pci, reason, hint });
}

function unjoined(pci: string, { port }: DeviceWant, other: string | undefined): CrosswireError {
  const reason = port
    ? `it is not a virtual function of ${port}, behind which the other end is`
    : `it and ${other}, the other end, are of two NICs that no service domain joins`;
  const hint = port ? undefined : 'name both NICs under one service domain in the SR-IOV file, if a cable joins them';
  return new CrosswireError({ code: 'ENDS_UNJOINED', operation: 'find a device', subject: pci, reason, hint });
}
