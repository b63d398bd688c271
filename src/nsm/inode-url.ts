// SPDX-License-Identifier: Apache-2.0
// `inode://<st_dev>/<st_ino>`: how messages name a file that is sent along as a descriptor.

export interface FileNumbers {
  readonly device: number;
  readonly inode: number;
}

export function isInodeUrl(url: string | undefined): url is string {
  return url?.startsWith('inode:') ?? false;
}

export function parseInodeUrl(url: string | undefined): FileNumbers | undefined {
  const [, device, inode] = /^inode:\/\/(\d{1,20})\/(\d{1,16})$/.exec(url ?? '') ?? [];
  const numbers = { device: Number(device), inode: Number(inode) };
  return Number.isSafeInteger(numbers.inode) && numbers.inode > 0 ? numbers : undefined;
}
