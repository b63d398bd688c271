// SPDX-License-Identifier: Apache-2.0
// Mechanisms that end in a virtual function of a NIC: KERNEL with a token of one, and VFIO. NOOP leads to an endpoint that
// has a device of its own (sdk-sriov, pkg/networkservice).

import { CrosswireError } from '../../model/error.ts';
import type { EndStatus } from '../../wire/status.ts';
import type { Mechanism } from '../generated/connection.ts';
import { mechanismType, parameter } from '../names.ts';

/** What this node shares out of its NICs. */
export interface SharedDevices {
  /** `serviceDomain/capability`. Throws TOKEN_UNUSABLE. */
  resourceOf(token: string): string;
  /** The interface of a NIC with a free function of that resource. Rejects with DEVICE_UNAVAILABLE. */
  portFor(resource: string, mode: 'kernel' | 'vfio'): Promise<string>;
  /** Where the control group of a client is on this machine. Throws CGROUP_INVALID. */
  controlGroupOf(directory: string): string;
}

export function endsInDevice({ type, parameters }: Mechanism): boolean {
  return type === mechanismType.vfio || (type === mechanismType.kernel && isToken(parameters[parameter.tokenId]));
}

/** How the device of such an end is driven. */
export function modeOf({ type }: Mechanism): 'kernel' | 'vfio' {
  return type === mechanismType.vfio ? 'vfio' : 'kernel';
}

/** A NIC carries its frames: to a virtual function here, or to a device of the other side's own. */
export function isCarriedByNic(mechanism: Mechanism): boolean {
  return endsInDevice(mechanism) || mechanism.type === mechanismType.noop;
}

/** Of a mechanism that ends in one. */
export function resourceFor(devices: SharedDevices | undefined, mechanism: Mechanism): string {
  const token = mechanism.parameters[parameter.tokenId] ?? '';
  if (!devices) throw refused(mechanism, 'this forwarder shares no virtual functions', 'see NSM_SRIOV_CONFIG_FILE');
  if (!isToken(token)) throw refused(mechanism, 'it is no token of a virtual function', 'use the label sriovToken');
  return devices.resourceOf(token);
}

/** With what the wire has got: what NSM's clients make their device nodes of. */
export function withDevice(mechanism: Mechanism, end: EndStatus | undefined): Mechanism {
  if (!endsInDevice(mechanism) || end?.device === undefined) return mechanism;
  const { device, iommuGroup, deviceNodes } = end;
  const vfio: Mechanism['parameters'] =
    iommuGroup === undefined || !deviceNodes
      ? {}
      : {
          [parameter.iommuGroup]: String(iommuGroup),
          [parameter.vfioMajor]: String(deviceNodes.container.major),
          [parameter.vfioMinor]: String(deviceNodes.container.minor),
          [parameter.deviceMajor]: String(deviceNodes.group.major),
          [parameter.deviceMinor]: String(deviceNodes.group.minor),
        };
  return { ...mechanism, parameters: { ...mechanism.parameters, [parameter.pciAddress]: device, ...vfio } };
}

/** On this machine; only processes in it may open the device nodes. */
export function controlGroupFor(devices: SharedDevices | undefined, mechanism: Mechanism): string | undefined {
  const directory = mechanism.parameters[parameter.cgroupDirectory];
  return directory ? devices?.controlGroupOf(directory) : undefined;
}

function isToken(id: string | undefined): boolean {
  return id?.startsWith('sriov-') ?? false;
}

function refused({ type, parameters }: Mechanism, reason: string, hint: string): CrosswireError {
  return new CrosswireError({
    code: 'MECHANISM_PARAMETER',
    operation: `read the mechanism ${type}`,
    subject: `${parameter.tokenId} '${parameters[parameter.tokenId] ?? ''}'`,
    reason,
    hint,
  });
}
