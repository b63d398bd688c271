// SPDX-License-Identifier: Apache-2.0
// Renders the metrics of NICs and their virtual functions; nothing on a machine without them.

import type { DeviceCounters, DeviceReport, DeviceStatus } from '../model/device-status.ts';
import { deviceMetrics } from './catalogue.ts';
import { family } from './text-format.ts';

const states: readonly DeviceStatus['state'][] = ['free', 'leased', 'unusable'];

const counters = [
  ['crosswire_device_rx_bytes_total', 'rxBytes'],
  ['crosswire_device_tx_bytes_total', 'txBytes'],
  ['crosswire_device_rx_packets_total', 'rxPackets'],
  ['crosswire_device_tx_packets_total', 'txPackets'],
  ['crosswire_device_rx_drops_total', 'rxDropped'],
  ['crosswire_device_tx_drops_total', 'txDropped'],
] as const satisfies readonly [keyof typeof deviceMetrics, keyof DeviceCounters][];

export function renderDevices({ physicalFunctions, devices }: DeviceReport): string {
  if (physicalFunctions.length === 0) return '';
  const byState = physicalFunctions.flatMap(({ pci }) =>
    states.map((state) => {
      const count = devices.filter((one) => one.physicalFunction === pci && one.state === state).length;
      return [{ physical_function: pci, state }, String(count)] as const;
    }),
  );
  const infos = devices.map(({ pci, physicalFunction, driver = '', holder }) => {
    const holding = { wire: holder?.wire ?? '', end: holder?.end ?? '' };
    return [{ device: pci, physical_function: physicalFunction, driver, ...holding }, '1'] as const;
  });
  return [
    family(deviceMetrics.crosswire_devices, byState),
    family(deviceMetrics.crosswire_device_info, infos),
    ...counters.map(([name, key]) =>
      family(
        deviceMetrics[name],
        devices.flatMap(({ pci, counters: counted }) =>
          counted ? [[{ device: pci }, String(counted[key])] as const] : [],
        ),
      ),
    ),
  ].join('');
}
