// SPDX-License-Identifier: Apache-2.0
// Mechanisms whose end is a virtual function of a NIC: KERNEL with a token, and VFIO. NOOP is for an endpoint that has its
// own device (sdk-sriov, pkg/networkservice).

import { CrosswireError } from '../../model/error.ts';
import type { EndStatus } from '../../wire/status.ts';
import type { Mechanism } from '../generated/connection.ts';
import { mechanismType, parameter } from '../names.ts';

/** The virtual functions that this node shares. */
export interface SharedDevices {
  /** The resource of a token, `serviceDomain/capability`. Throws TOKEN_UNUSABLE. */
  resourceOf(token: string): string;
  /** The interface of a NIC with a free function of that resource. Rejects with DEVICE_UNAVAILABLE. */
  portFor(resource: string, mode: 'kernel' | 'vfio'): Promise<string>;
  /** The path of a client's control group on this machine. Throws CGROUP_INVALID. */
  controlGroupOf(directory: string): string;
}

export function endsInDevice({ type, parameters }: Mechanism): boolean {
  return type === mechanismType.vfio || (type === mechanismType.kernel && isToken(parameters[parameter.tokenId]));
}

/** Who drives the device of such an end: the kernel, or an application. */
export function modeOf({ type }: Mechanism): 'kernel' | 'vfio' {
  return type === mechanismType.vfio ? 'vfio' : 'kernel';
}

/** Whether a NIC carries the frames: to a virtual function of this node, or to the other side's own device. */
export function isCarriedByNic(mechanism: Mechanism): boolean {
  return endsInDevice(mechanism) || mechanism.type === mechanismType.noop;
}

/** The resource of a mechanism whose end is a virtual function. */
export function resourceFor(devices: SharedDevices | undefined, mechanism: Mechanism): string {
  const token = mechanism.parameters[parameter.tokenId] ?? '';
  if (!devices) throw refused(mechanism, 'this forwarder shares no virtual functions', 'see NSM_SRIOV_CONFIG_FILE');
  if (!isToken(token)) throw refused(mechanism, 'it is no token of a virtual function', 'use the label sriovToken');
  return devices.resourceOf(token);
}

/** Adds the parameters of the wire's device, from which NSM's clients make their device nodes. */
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

/** The control group on this machine whose processes may open the device nodes. */
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
