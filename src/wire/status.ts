// SPDX-License-Identifier: Apache-2.0
// The status of a wire: the type of the control API's answers.

import type { ErrorDetails } from '../model/error.ts';
import type { DeviceNode, WireOwner, WirePhase } from '../model/status.ts';
import type { Path } from '../model/wire.ts';
import type { Mechanism, Wire } from './wire.ts';

export interface EndStatus {
  readonly mechanism: Mechanism['type'];
  readonly up: boolean;
  /** One line for people: why it is down, or what was negotiated. */
  readonly detail: string;
  readonly interface?: string;
  readonly netns?: string; // as resolved
  readonly mac?: string;
  readonly socket?: string;
  readonly peer?: string;
  readonly rings?: number;
  readonly ringSize?: number;
  readonly sessions?: number;
  readonly device?: string; // the PCI address of its virtual function
  readonly iommuGroup?: number;
  /** The numbers of /dev/vfio/vfio and /dev/vfio/GROUP, which an application opens. */
  readonly deviceNodes?: { readonly container: DeviceNode; readonly group: DeviceNode };
}

export interface WireStatus {
  readonly name: string;
  readonly phase: WirePhase;
  readonly owner: WireOwner;
  readonly path: Path;
  readonly mtu: number;
  readonly spec: Wire; // a memif secret and a private key are replaced by '(set)'
  readonly client: EndStatus;
  readonly endpoint: EndStatus;
  readonly createdAt: string; // RFC 3339
  /** Why it does not work, why it cannot be made yet, or why it cannot be changed to what its owner wants. */
  readonly error?: ErrorDetails;
}
