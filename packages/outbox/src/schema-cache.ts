import { LockstepError, type LoggedEvent, type TableSchema } from "@lockstep/core";
import { fingerprintOfRow, isMarker, type EventRow } from "./event-row.js";

/** The schemas that events name. They never change, so they are read again only when an unknown one turns up. */
export interface SchemaCache {
  /** Reads them all. */
  load(): Promise<readonly TableSchema[]>;
  /** The table of each of `rows`, reading what is unknown first. */
  tablesOf(rows: readonly EventRow[]): Promise<(row: EventRow) => LoggedEvent["table"]>;
}

/** A marker is about no table. */
const noTable = { namespace: "", name: "" };

/** A cache over `read`, which gives all schemas of the outbox. */
export function schemaCacheOf(read: () => Promise<readonly TableSchema[]>): SchemaCache {
  const tables = new Map<string, LoggedEvent["table"]>();
  const load = async (): Promise<readonly TableSchema[]> => {
    const schemas = await read();
    for (const { fingerprint, namespace, name } of schemas) tables.set(fingerprint, { namespace, name });
    return schemas;
  };
  const tableOf = (row: EventRow): LoggedEvent["table"] => {
    if (isMarker(row)) return noTable;
    const table = tables.get(fingerprintOfRow(row));
    if (!table)
      throw new LockstepError(
        "STREAM_SCHEMA_UNKNOWN",
        "an event names a schema that the outbox doesn't know",
      );
    return table;
  };
  return {
    load,
    async tablesOf(rows) {
      if (rows.some((row) => !isMarker(row) && !tables.has(fingerprintOfRow(row)))) await load();
      return tableOf;
    },
  };
}
