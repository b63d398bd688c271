// SPDX-License-Identifier: Apache-2.0
// What the scenarios share: a mesh for each test, removed afterwards.

import type { ExecutionContext } from 'ava';
import { type Requirement, testWith } from '../../support/requires.ts';
import { patience } from '../../support/shell.ts';
import { Mesh, type MeshOptions } from './mesh.ts';

/** Each test builds its own mesh; ava ends a test that neither ends nor says anything in the time. */
export function scenario(
  title: string,
  body: (t: ExecutionContext, mesh: Mesh) => Promise<void>,
  options: MeshOptions & { readonly needs?: readonly Requirement[]; readonly seconds?: number } = {},
): void {
  const { needs = [], seconds = 120 } = options;
  testWith(['root', 'ping', 'nsm-peers', ...needs], title, async (t) => {
    t.timeout(seconds * patience * 1000);
    const mesh = await Mesh.start(options);
    t.teardown(() => mesh.remove());
    await body(t, mesh);
  });
}
