import { LockstepError } from "@lockstep/core";

/** An error or a warning that the server sent over a connection that pg no longer reads. */
export class ServerError extends Error {
  readonly severity: string;
  /** SQLSTATE. */
  readonly code: string;

  constructor(bytes: Buffer, start: number, end: number) {
    const fields = fieldsOf(bytes.toString("utf8", start, end));
    super(fields.get("M") ?? "the server reported an error");
    this.severity = fields.get("V") ?? "ERROR";
    this.code = fields.get("C") ?? "";
  }
}

function fieldsOf(body: string): Map<string, string> {
  return new Map(body.split("\0").flatMap((field) => (field === "" ? [] : [[field[0]!, field.slice(1)]])));
}

const undefinedObject = "42704";
const notInState = "55000";

/**
 * What a server's word means for who reads its log; `undefined` for one that says nothing of it. A publication that was dropped and made again is there for
 * whoever looks, but not at the place that is read: up to PostgreSQL 17 the server refuses to go on, from 18 on it passes over the changes with a warning.
 */
export function endOfLog(said: ServerError): Error | undefined {
  const isError = said.severity !== "WARNING";
  if (said.code !== (isError ? undefinedObject : notInState)) return isError ? said : undefined;
  return new LockstepError(
    "CAPTURE_LOG_LOST",
    "a publication was not there when changes were written that the log doesn't hold for this reason",
    { cause: said },
  );
}
