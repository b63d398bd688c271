// SPDX-License-Identifier: Apache-2.0
// crosswire get devices

import type { Command } from 'commander';
import type { DeviceReport, DeviceStatus, PhysicalFunctionStatus } from '../model/device-status.ts';
import { exitCodes } from './exit-codes.ts';
import { render, table } from './output.ts';
import { addClientOptions, type ClientOptions, type Verb, withClient } from './verb.ts';

/** Without the counters, which are strings of digits in JSON and not used here. */
type Device = Omit<DeviceStatus, 'counters'>;

const examples = `
A device is one virtual function of a NIC. NIC is the interface of its physical function, with its number there.

Examples:
  crosswire get devices
  crosswire get devices -o json | jq -r '.devices[] | select(.state == "free") | .pci'`;

export function addGetDevices(get: Command, { terminal, finish }: Verb): void {
  const command = get
    .command('devices')
    .alias('device')
    .description('List virtual functions: free, leased to which wire, or unusable and why.')
    .addHelpText('after', examples);
  addClientOptions(command).action((options: ClientOptions) =>
    finish(async () => {
      const report = await withClient(options.control, terminal, (client) => client.get<DeviceReport>('/v1/devices'));
      terminal.out(render(options.output, report, () => devicesInWords(report)));
      return exitCodes.ok;
    }),
  );
}

export function devicesInWords({ physicalFunctions, devices, lost }: DeviceReport): string {
  if (physicalFunctions.length + lost.length === 0)
    return 'no NIC here can have virtual functions; crosswire doctor says more\n';
  const nics = new Map(physicalFunctions.map((one) => [one.pci, one]));
  const head = ['DEVICE', 'NIC', 'STATE', 'DRIVER', 'GROUP', 'RESOURCES', 'WIRE', 'WHY'];
  const rows = devices.map((one) => [
    one.pci,
    `${nics.get(one.physicalFunction)?.interface ?? one.physicalFunction}/${one.index}`,
    stateOf(one),
    one.driver ?? '-',
    one.iommuGroup === undefined ? '-' : String(one.iommuGroup),
    one.resources.join(',') || '-',
    holderOf(one),
    whyOf(one),
  ]);
  const without = physicalFunctions.filter(({ present }) => present === 0).map(emptyNic);
  const gone = lost.map(({ pci, wire, end }) => `${pci} is leased to ${wire}/${end}, and is not there any more\n`);
  return [rows.length > 0 ? table(head, rows) : '', ...without, ...gone].join('');
}

function stateOf({ state, refusals }: Device): string {
  if (state !== 'free') return state;
  return refusals.kernel ? 'free (vfio only)' : refusals.vfio ? 'free (kernel only)' : 'free';
}

function holderOf({ holder }: Device): string {
  if (!holder) return '-';
  return `${holder.wire}/${holder.end}${holder.state === 'held' ? '' : ` (${holder.state})`}`;
}

function whyOf({ state, refusals: { kernel, vfio } }: Device): string {
  if (state === 'leased') return '-';
  if (kernel === vfio) return kernel ?? '-';
  return [kernel && `kernel: ${kernel}`, vfio && `vfio: ${vfio}`].filter(Boolean).join('; ');
}

function emptyNic({ pci, interface: name, possible, problem }: PhysicalFunctionStatus): string {
  const nic = name ? `${name} (${pci})` : pci;
  return `${nic} has none of its ${possible} virtual functions${problem ? `: ${problem}` : ''}\n`;
}
