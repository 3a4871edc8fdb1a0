import { type Logger, silentLogger } from "@lockstep/core";

const levels = { warn: 40, error: 50 } as const;

/** The logger of an application that gives none: warnings and errors as pino-like JSON lines on stderr. */
export const stderrLogger: Logger = {
  ...silentLogger,
  warn: (fields, message) => write("warn", fields, message),
  error: (fields, message) => write("error", fields, message),
};

function write(level: keyof typeof levels, fields: object, message: string): void {
  const line = { level: levels[level], time: Date.now(), name: "lockstep", ...fields, msg: message };
  process.stderr.write(`${JSON.stringify(line, errorsAsObjects)}\n`);
}

// Name, code and message; a stack would repeat per retry, and a driver's error object holds row values.
function errorsAsObjects(_: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  return { type: value.name, message: value.message, ...("code" in value && { code: value.code }) };
}
