// SPDX-License-Identifier: Apache-2.0

/** A command line that asks for what is not there: told in one line. */
export class UsageError extends Error {}
