/** Whose messages in the log are ours: `pg_logical_emit_message(true, 'lockstep', traceparent)`. */
export const tracePrefix = "lockstep";

const traceparent = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
/** Flags and place of a message, which stand before its prefix. */
const headBytes = 9;
const isTransactional = 1;

/** The traceparent that a message of pgoutput (from behind its letter on) carries; `undefined` for messages of others. Pure. */
export function traceOf(bytes: Buffer, at: number): string | undefined {
  if ((bytes[at]! & isTransactional) === 0) return undefined;
  const prefixAt = at + headBytes;
  const prefixEnd = bytes.indexOf(0, prefixAt);
  if (bytes.toString("utf8", prefixAt, prefixEnd) !== tracePrefix) return undefined;
  const length = bytes.readInt32BE(prefixEnd + 1);
  const content = bytes.toString("latin1", prefixEnd + 5, prefixEnd + 5 + length);
  return traceparent.test(content) ? content : undefined;
}
