/**
 * The part of a pino logger that Lockstep writes to: a constant lowercase message and fields with ids and counts, never row values.
 * Hand in your own pino (or Fastify's `log`); nothing is closed.
 */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const nothing = (): void => undefined;

/** Says nothing. */
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
