import { type Engine, LockstepError, type OutboxWriter } from "@lockstep/core";
import { mysqlOutboxWriter, postgresOutboxWriter } from "@lockstep/outbox";
import type { DataSource } from "typeorm";
import { type PublishOptions, publishDefaults } from "./options.js";

/** The engine of a DataSource. @throws LockstepError DRIVER_UNSUPPORTED. */
export function engineOf(dataSource: DataSource): Engine {
  const { type } = dataSource.options;
  if (type === "postgres") return "postgres";
  if (type === "mysql" || type === "mariadb") return "mysql";
  throw new LockstepError("DRIVER_UNSUPPORTED", `a DataSource of type ${type} can't be captured`);
}

/** The outbox of a DataSource, as its transactions write it. */
export function outboxWriterFor(
  dataSource: DataSource,
  { outbox = {} }: Pick<PublishOptions, "outbox">,
): OutboxWriter {
  return engineOf(dataSource) === "postgres"
    ? postgresOutboxWriter({ schema: outbox.schema ?? publishDefaults.outboxSchema })
    : mysqlOutboxWriter({ prefix: outbox.prefix ?? publishDefaults.outboxPrefix });
}
