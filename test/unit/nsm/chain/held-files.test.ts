// SPDX-License-Identifier: Apache-2.0

import test from 'ava';
import { HeldFiles } from '../../../../src/nsm/chain/held-files.ts';
import { FakeFiles, FakeMesh } from '../../../fakes/mesh.ts';

test('held files: one descriptor for each inode however often it comes, and only those that are used', async (t) => {
  const files = new FakeFiles();
  const held = new HeldFiles();
  const peer = { ...new FakeMesh().peer(''), descriptors: files };
  const { signal } = new AbortController();
  const first = await held.take('inode://4/1', peer, signal);
  t.is(await held.take('inode://4/1', peer, signal), first);
  await held.take('inode://4/2', peer, signal);
  t.is(files.open, 2);
  held.keepOnly(['inode://4/2', undefined]);
  t.is(files.open, 1);
  t.is(held.get('inode://4/1'), undefined);
  t.is(await held.take('inode://4/3', { ...peer, descriptors: undefined }, signal), undefined, 'TCP carries none');
  held.close();
  held.close();
  t.is(files.open, 0);
});
