/**
 * A JSON array of strings and nulls without spaces, in which no string needs another escape than for `"` and `\`: COPY's CSV with a backslash for its escape and
 * `null` for NULL reads the same from what stands between its brackets.
 */
const readTheSame = /^\[(?:null|"[^"\\]*(?:\\["\\][^"\\]*)*")(?:,(?:null|"[^"\\]*(?:\\["\\][^"\\]*)*"))*\]$/;

/** V8's stack for the expression grows with the escapes of a cell. */
const longest = 64 * 1024;

/** The image's text as a line of COPY's CSV; `undefined` when it would be read as something else. Pure. */
export function csvLine(text: string): string | undefined {
  return text.length <= longest && readTheSame.test(text) ? text.slice(1, -1) : undefined;
}
