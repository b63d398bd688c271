// SPDX-License-Identifier: Apache-2.0
// An action is one undoable step, as plain data. It contains the exact state before or after the step, so that its inverse
// needs nothing else.

import type { EndName } from '../model/wire.ts';
import { interfaceTraits } from '../wire/mechanisms/index.ts';
import {
  type BoundDevice,
  type EngineEnd,
  type EngineState,
  type InterfaceState,
  sameNamespace,
  type WireState,
} from './state.ts';

export type Action =
  | { readonly kind: 'createVethPair'; readonly client: InterfaceState; readonly endpoint: InterfaceState }
  | { readonly kind: 'removeVethPair'; readonly client: InterfaceState; readonly endpoint: InterfaceState }
  | { readonly kind: 'createInterface'; readonly interface: InterfaceState }
  | { readonly kind: 'removeInterface'; readonly interface: InterfaceState }
  | { readonly kind: 'takeDevice'; readonly interface: InterfaceState }
  | { readonly kind: 'returnDevice'; readonly interface: InterfaceState }
  | { readonly kind: 'bindDevice'; readonly device: BoundDevice }
  | { readonly kind: 'unbindDevice'; readonly device: BoundDevice }
  | { readonly kind: 'changeInterface'; readonly from: InterfaceState; readonly to: InterfaceState }
  | { readonly kind: 'startEngineWire'; readonly engine: EngineState }
  | { readonly kind: 'stopEngineWire'; readonly engine: EngineState }
  | {
      readonly kind: 'replaceEngineEnd';
      readonly end: EndName;
      readonly from: EngineEnd;
      readonly to: EngineEnd;
    };

/** Whether the interface is borrowed from a NIC, not made. */
export function isLent({ kind }: InterfaceState): boolean {
  return interfaceTraits(kind)?.made === 'lent';
}

export function inverse(action: Action): Action {
  switch (action.kind) {
    case 'createVethPair':
      return { ...action, kind: 'removeVethPair' };
    case 'removeVethPair':
      return { ...action, kind: 'createVethPair' };
    case 'createInterface':
      return { ...action, kind: 'removeInterface' };
    case 'removeInterface':
      return { ...action, kind: 'createInterface' };
    case 'takeDevice':
      return { ...action, kind: 'returnDevice' };
    case 'returnDevice':
      return { ...action, kind: 'takeDevice' };
    case 'bindDevice':
      return { ...action, kind: 'unbindDevice' };
    case 'unbindDevice':
      return { ...action, kind: 'bindDevice' };
    case 'startEngineWire':
      return { ...action, kind: 'stopEngineWire' };
    case 'stopEngineWire':
      return { ...action, kind: 'startEngineWire' };
    case 'changeInterface':
      return { ...action, from: action.to, to: action.from };
    case 'replaceEngineEnd':
      return { ...action, from: action.to, to: action.from };
  }
}

/** The state after an action, computed without carrying it out. */
export function advance(state: WireState, action: Action): WireState {
  const { interfaces, devices = [], engine } = state;
  switch (action.kind) {
    case 'createVethPair':
      return { ...state, interfaces: [...interfaces, action.client, action.endpoint] };
    case 'removeVethPair':
      return { ...state, interfaces: drop(interfaces, action.client, action.endpoint) };
    case 'createInterface':
    case 'takeDevice':
      return { ...state, interfaces: [...interfaces, action.interface] };
    case 'removeInterface':
    case 'returnDevice':
      return { ...state, interfaces: drop(interfaces, action.interface) };
    case 'changeInterface':
      return { ...state, interfaces: [...drop(interfaces, action.from), action.to] };
    case 'bindDevice':
      return { ...state, devices: [...devices, action.device] };
    case 'unbindDevice':
      return { ...state, devices: devices.filter(({ device }) => device.pci !== action.device.device.pci) };
    case 'startEngineWire':
      return { ...state, engine: action.engine };
    case 'stopEngineWire': {
      const { engine: _, ...rest } = state;
      return rest;
    }
    case 'replaceEngineEnd':
      return engine ? { ...state, engine: { ...engine, [action.end]: action.to } } : state;
  }
}

function drop(interfaces: readonly InterfaceState[], ...gone: InterfaceState[]): InterfaceState[] {
  const isGone = (candidate: InterfaceState) =>
    gone.some((one) => one.name === candidate.name && sameNamespace(one.namespace, candidate.namespace));
  return interfaces.filter((candidate) => !isGone(candidate));
}
