// SPDX-License-Identifier: Apache-2.0
// Reads and writes capture files (pcap, microseconds, little endian), and makes the frames that a wire must carry unchanged.

import { createHash } from 'node:crypto';

export function writeCapture(frames: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(262_144, 16); // snap length
  header.writeUInt32LE(1, 20); // LINKTYPE_ETHERNET
  const records = frames.map((frame, index) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(index, 4);
    record.writeUInt32LE(frame.length, 8);
    record.writeUInt32LE(frame.length, 12);
    return Buffer.concat([record, frame]);
  });
  return Buffer.concat([header, ...records]);
}

export function readCapture(file: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 24; at + 16 <= file.length; ) {
    const length = file.readUInt32LE(at + 8);
    frames.push(file.subarray(at + 16, at + 16 + length));
    at += 16 + length;
  }
  return frames;
}

/** Reproducible bytes. */
function noise(seed: string, length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let index = 0; index * 32 < length; index++)
    blocks.push(createHash('sha256').update(`${seed} ${index}`).digest());
  return Buffer.concat(blocks).subarray(0, length);
}

const macs = Buffer.from('02000000aa0102000000aa02', 'hex');

function frame(headers: string, seed: string, length: number): Buffer {
  const head = Buffer.concat([macs, Buffer.from(headers.replaceAll(' ', ''), 'hex')]);
  return Buffer.concat([head, noise(seed, length - head.length)]);
}

// The addresses are from documentation networks: nothing answers, and nothing is routed.
const ipv4 = (protocol: string, total: number) =>
  `0800 4500${total.toString(16).padStart(4, '0')} 0001 0000 40${protocol} 0000 c0000201 c0000202`;

/** Unusual frames that a wire of payload ethernet must carry unchanged: EtherTypes, tags, protocols, sizes. */
export function oddFrames(largest: number): Buffer[] {
  const frames = [
    frame('88b5', 'experimental EtherType', 60),
    frame('9000', 'loopback EtherType', 64),
    frame('88cc', 'LLDP', 200),
    frame('8100 0064 0800', 'VLAN 100', 100),
    frame('8100 e064 86dd', 'VLAN 100, priority 7', 120),
    frame('88a8 00c8 8100 0064 88b5', 'QinQ', 1500),
    frame('8100 0001 8100 0002 88b5', 'VLAN in VLAN', 68),
    frame('8847 00064140', 'MPLS', 300),
    frame('8863 1109 0000 0004', 'PPPoE discovery', 60),
    frame(ipv4('84', 100), 'SCTP', 114),
    frame(ipv4('2f', 200), 'GRE', 214),
    frame(ipv4('32', 1400), 'ESP', 1414),
    frame('0026', 'a length, no EtherType (802.3)', 60),
  ];
  const sizes = [
    60, 61, 64, 127, 128, 255, 256, 512, 1024, 1499, 1500, 1513, 1514, 2047, 2048, 2049, 4096, 8999, 9000, 9014,
  ];
  for (const size of sizes.filter((each) => each <= largest)) frames.push(frame('88b5', `size ${size}`, size));
  return frames;
}
