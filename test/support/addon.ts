// SPDX-License-Identifier: Apache-2.0
// The addon as built, without the façade, for tests of the boundary itself. Only here outside src/dataplane.

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Dataplane } from '../../src/dataplane/types.ts';
import { CrosswireError } from '../../src/model/error.ts';

export const addonPath = fileURLToPath(new URL('../../build/Release/crosswire.node', import.meta.url));

type Methods =
  | 'probe'
  | 'identifyNamespace'
  | 'listNamespaces'
  | 'listInterfaces'
  | 'createVethPair'
  | 'createTap'
  | 'changeInterface'
  | 'deleteInterface'
  | 'readStatistics';

export type Addon = Pick<Dataplane, Methods> & { setErrorClass(constructor: unknown): void };

export function loadAddon(): Addon {
  const addon = createRequire(import.meta.url)(addonPath) as Addon;
  addon.setErrorClass(CrosswireError);
  return addon;
}
