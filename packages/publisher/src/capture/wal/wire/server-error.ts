/** An error that the server sent over a connection that pg no longer reads. */
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
