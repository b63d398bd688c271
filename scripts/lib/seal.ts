// SPDX-License-Identifier: Apache-2.0
// Closes the directory of a release with checksums and their signature, as docs/decisions/007-signed-results.md describes.
//   node scripts/lib/seal.ts DIRECTORY KEY

import { sealBundle } from '../../bench/report/bundle.ts';
import { loadSigningKey } from '../../bench/report/keys.ts';

const [directory, key] = process.argv.slice(2);
if (directory === undefined || key === undefined) throw new Error('usage: node scripts/lib/seal.ts DIRECTORY KEY');
await sealBundle(directory, await loadSigningKey(key));
