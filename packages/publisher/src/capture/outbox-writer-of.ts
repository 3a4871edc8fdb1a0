import type { Engine, OutboxWriter } from "@lockstep/core";
import { mysqlOutboxWriter, postgresOutboxWriter } from "@lockstep/outbox";
import type { CaptureSource } from "./source-capture.js";

/** The outbox of a source, as its transactions write it. */
export function outboxWriterOf({
  engine,
  outbox,
}: {
  readonly engine: Engine;
  readonly outbox: CaptureSource["outbox"];
}): OutboxWriter {
  return engine === "postgres" ? postgresOutboxWriter(outbox) : mysqlOutboxWriter(outbox);
}
