import { LockstepError, type LoggedEvent, type TableSchema } from "@lockstep/core";
import type { Connections } from "./connections.js";
import type { EventRow } from "./decode.js";
import { tableSchemaOf, type TableDefinition } from "./table-definition.js";

/** The schemas that events name. They never change, so they are read again only when an unknown one turns up. */
export interface SchemaCache {
  /** Reads them all. */
  load(): Promise<readonly TableSchema[]>;
  /** The table of each of `rows`, reading what is unknown first. */
  tablesOf(rows: readonly EventRow[]): Promise<(row: EventRow) => LoggedEvent["table"]>;
}

const fingerprintColumn = 4;

/** Schemas of the outbox in the quoted schema `s`. */
export function schemaCacheOf(connections: Connections, s: string): SchemaCache {
  const tables = new Map<string, LoggedEvent["table"]>();
  const load = async (): Promise<TableSchema[]> => {
    const { rows } = await connections.use((client) =>
      client.query<{ fingerprint: string; definition: string }>(
        `select distinct on (fingerprint) fingerprint, definition from ${s}.table_schema order by fingerprint`,
      ),
    );
    const schemas = rows.map((row) =>
      tableSchemaOf(row.fingerprint, JSON.parse(row.definition) as TableDefinition),
    );
    for (const { fingerprint, namespace, name } of schemas) tables.set(fingerprint, { namespace, name });
    return schemas;
  };
  const tableOf = (row: EventRow): LoggedEvent["table"] => {
    const table = tables.get(row[fingerprintColumn]!);
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
      if (rows.some((row) => !tables.has(row[fingerprintColumn]!))) await load();
      return tableOf;
    },
  };
}
