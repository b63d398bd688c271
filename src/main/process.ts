// SPDX-License-Identifier: Apache-2.0
// The log and the signals of the process.

import { destination, type Logger, pino, stdSerializers, stdTimeFunctions } from 'pino';
import { exitCodes } from '../cli/exit-codes.ts';
import { CrosswireError } from '../model/error.ts';

/** Milliseconds from the first signal to a forced exit. The kernel takes about 40 ms to remove an interface. */
export const longestStop = { keepingWires: 10_000, removingWires: 120_000 };

/** Resolves at the first SIGTERM or SIGINT. A second one, or the time limit, ends the process. */
export async function stopSignal(limit: number, log: Logger): Promise<void> {
  return new Promise((resolve) => {
    let signals = 0;
    const onSignal = (signal: NodeJS.Signals) => {
      signals += 1;
      if (signals > 1) {
        log.warn({ signal }, 'second signal: ending at once; the next start tidies up');
        process.exit(exitCodes.failed);
      }
      log.info({ signal }, 'stopping');
      setTimeout(() => {
        log.error({ milliseconds: limit }, 'stopping took too long: ending; the next start tidies up');
        process.exit(exitCodes.failed);
      }, limit).unref();
      resolve();
    };
    process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  });
}

/** As in NSM's programs, SIGUSR1 sets the log level to trace and SIGUSR2 back to the configured one. Without handlers, Node
 *  opens a debugger port on SIGUSR1, and SIGUSR2 ends the process. */
export function changeLevelBySignal(log: Logger): void {
  const configured = log.level;
  const change = (level: string) => (signal: NodeJS.Signals) => {
    log.level = level;
    log.info({ signal, level }, 'log level changed');
  };
  process.on('SIGUSR1', change('trace')).on('SIGUSR2', change(configured));
}

export function makeLog(level: string, base: object): Logger {
  const error = (value: unknown) =>
    value instanceof CrosswireError ? value.toJSON() : value instanceof Error ? stdSerializers.err(value) : value;
  return pino(
    {
      level,
      base,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error },
    },
    destination({ fd: 2, sync: true }),
  );
}
