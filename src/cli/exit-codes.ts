// SPDX-License-Identifier: Apache-2.0

export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  notFound: 4,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodesInWords = `Exit codes:
  0  everything was done
  1  something failed: a wire, the daemon, an essential part of the machine
  2  bad input: options, wire files
  3  the daemon cannot be reached on its control socket
  4  there is no wire of that name`;
