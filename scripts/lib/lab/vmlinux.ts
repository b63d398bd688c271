// SPDX-License-Identifier: Apache-2.0
// Extracts the uncompressed kernel from a bzImage (Documentation/arch/x86/boot.rst: payload_offset, payload_length).
//   node vmlinux.ts VMLINUZ VMLINUX

import { readFileSync, writeFileSync } from 'node:fs';
import { zstdDecompressSync } from 'node:zlib';

const [from, to] = process.argv.slice(2) as [string, string];
const image = readFileSync(from);
const setupSectors = image.readUInt8(0x1f1) || 4;
const protectedMode = (setupSectors + 1) * 512;
const start = protectedMode + image.readUInt32LE(0x248);
const length = image.readUInt32LE(0x24c) - 4; // the last word is the uncompressed size
writeFileSync(to, zstdDecompressSync(image.subarray(start, start + length)));
