import { type Engine, LockstepError, type OutboxWriter } from "@lockstep/core";
import type { DataSource } from "typeorm";
import { outboxWriterOf } from "./capture/outbox-writer-of.js";
import type { PublishOptions } from "./options.js";

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
  return outboxWriterOf({ engine: engineOf(dataSource), outbox });
}
