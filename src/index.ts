// SPDX-License-Identifier: Apache-2.0
// The library: the data plane alone, for those who want the addon without the supervisor.
//
//   import { Dataplane } from 'crosswire';
//   const dataplane = new Dataplane();
//   await dataplane.start({ workers: 1 });

export { NativeDataplane as Dataplane } from './dataplane/dataplane.ts';
export type * from './dataplane/types.ts';
export { dropReasons, engineDropReasons, kernelDropReasons } from './model/drop-reason.ts';
export type { DropReason, EngineDropReason } from './model/drop-reason.ts';
export { CrosswireError } from './model/error.ts';
export type { ErrorDetails } from './model/error.ts';
export type { EndName, Payload } from './model/wire.ts';
