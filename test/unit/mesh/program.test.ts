// SPDX-License-Identifier: Apache-2.0

import test from 'ava';
import { FileSource } from '../../../src/spiffe/sources/file-source.ts';
import { MeshProgram } from '../../../src/mesh/program.ts';

test('a program that gets no identity in time says why', async (t) => {
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const files = { certificate: '/nowhere/pem', key: '/nowhere/key', bundle: '/nowhere/bundle' };
  const identity = new FileSource({ files, log });
  const unixSockets = { listen: () => Promise.reject(new Error()), dial: () => Promise.reject(new Error()) };
  const program = new MeshProgram({ identity, unixSockets, maxTokenMilliseconds: 1000, log });
  t.teardown(() => program.close());
  await t.throwsAsync(program.ready(AbortSignal.abort()), { code: 'IDENTITY_MISSING' });
  identity.start();
  await t.throwsAsync(program.ready(AbortSignal.timeout(2_000)), { code: 'IDENTITY_UNUSABLE', message: /nowhere/ });
});
