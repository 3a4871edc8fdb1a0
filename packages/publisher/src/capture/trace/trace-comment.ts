const form = /\/\*traceparent='([0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})'\*\/\s*$/;
/** As far from its end as the comment of a statement is looked for. */
const endBytes = 100;

/** What is put behind a statement, in the form of sqlcommenter, which other tools know. A traceparent is hexadecimal. Pure. */
export function traceComment(traceparent: string): string {
  return ` /*traceparent='${traceparent}'*/`;
}

/** The traceparent behind a statement; `undefined` where there is none. Pure. */
export function traceBehind(statement: Buffer): string | undefined {
  return form.exec(statement.toString("latin1", Math.max(0, statement.length - endBytes)))?.[1];
}
