import { isLockstepError, LockstepError, tableId, type TableSchema } from "@lockstep/core";
import { mysqlOutboxWriter } from "@lockstep/outbox";
import {
  type Connections,
  type MysqlOutboxOptions,
  readSchemas,
  registerSchemas,
  tableNames,
} from "@lockstep/outbox/mysql";
import type { Flavour } from "../event/column-type.js";
import type { CellReader } from "../event/rows-event.js";
import { type TableMap, type TableMapHead, tableMapOf } from "../event/table-map.js";
import { cellReaderOf } from "../value/cell-readers.js";
import { type Charsets, loadCharsets } from "../value/charsets.js";
import { describes, schemaFromLog } from "./logged-schema.js";

/** How a table's rows are read. */
export interface ReadableTable {
  readonly map: TableMap;
  readonly cells: readonly CellReader[];
  /** Absent for Lockstep's own tables. */
  readonly schema?: TableSchema;
  /** Indexes of the key's columns, in key order. */
  readonly key: readonly number[];
}

type TableName = Pick<TableSchema, "namespace" | "name">;

/** The tables of a source as its log speaks of them. Shared by all readers. */
export interface Tables {
  /** True for a table that was ever described to the outbox: those are captured. */
  isCaptured(table: TableName): boolean;
  /** The captured tables of a database. */
  within(namespace: string): readonly TableName[];
  /** A table was described just now; the log says so in its place. */
  capture(schema: Pick<TableSchema, "namespace" | "name" | "fingerprint">): void;
  /** How the rows that follow a TABLE_MAP event are read; asks the catalog when the table was never seen so. */
  readable(head: TableMapHead, flavour: Flavour): Promise<ReadableTable>;
  /** The same without asking, when it is known. */
  known(head: TableMapHead): ReadableTable | undefined;
  /** The newest schema of a captured table. */
  newest(table: TableName): Promise<TableSchema | undefined>;
  /** The table of a schema that the outbox knows. */
  named(fingerprint: string): TableName | undefined;
  /** Reads again which tables are captured. */
  load(): Promise<void>;
}

const maxKnown = 5_000;

/** The tables of a source with this outbox. */
export function openTables(connections: Connections, outbox: MysqlOutboxOptions): Tables {
  const names = tableNames(outbox);
  const writer = mysqlOutboxWriter(outbox);
  const captured = new Set<string>();
  const byFingerprint = new Map<string, TableName>();
  const capture = ({ namespace, name, fingerprint }: Parameters<Tables["capture"]>[0]): void => {
    captured.add(tableId({ namespace, name }));
    byFingerprint.set(fingerprint, { namespace, name });
  };
  const known = new Map<string, ReadableTable>();
  let charsets: Promise<Charsets> | undefined;
  const history = (): Promise<TableSchema[]> => connections.use((session) => readSchemas(session, names));

  /** The table as it is now, registered in the outbox; `undefined` when it is gone, or has lost its key. */
  const fromCatalog = async (table: TableName): Promise<TableSchema | undefined> => {
    try {
      const [schema] = await connections.use(({ run }) => writer.describe(run, [table]));
      return schema;
    } catch (error) {
      if (isLockstepError(error, "ENTITY_UNKNOWN") || isLockstepError(error, "TABLE_WITHOUT_PRIMARY_KEY")) {
        return undefined;
      }
      throw error;
    }
  };

  const schemaOf = async (map: TableMap, of: Charsets): Promise<TableSchema> => {
    if (map.key.length === 0) {
      // A key that it has been given since is not in the log.
      throw new LockstepError(
        "CAPTURE_LOG_UNREADABLE",
        `${tableId(map)} had no primary key when these rows were written: give it one`,
      );
    }
    const now = await fromCatalog(map);
    if (now && describes(now, map, of)) return now;
    const before = (await history()).findLast(
      (schema) => tableId(schema) === tableId(map) && describes(schema, map, of),
    );
    if (before) return before;
    const told = schemaFromLog(map, of);
    await connections.use(({ run }) => registerSchemas(run, names, [told]));
    return told;
  };

  return {
    isCaptured: (table) => captured.has(tableId(table)),
    within: (namespace) => [
      ...new Map(
        [...byFingerprint.values()].filter((t) => t.namespace === namespace).map((t) => [tableId(t), t]),
      ).values(),
    ],
    capture,
    named: (fingerprint) => byFingerprint.get(fingerprint),
    known: (head) => known.get(signatureOf(head)),
    async readable(head, flavour) {
      const map = tableMapOf(head, flavour);
      if (!map.isFull) throw notFull(map);
      charsets ??= loadCharsets(connections);
      charsets.catch(() => (charsets = undefined));
      const of = await charsets;
      const schema = captured.has(tableId(map)) ? await schemaOf(map, of) : undefined;
      const cells = await Promise.all(
        map.columns.map((column, i) =>
          cellReaderOf(column, schema?.columns[i] ?? { type: "", kind: "other" }, of),
        ),
      );
      const readable = { map, cells, key: map.key, ...(schema && { schema }) };
      if (known.size >= maxKnown) known.clear();
      known.set(signatureOf(head), readable);
      return readable;
    },
    async newest(table) {
      return (await fromCatalog(table)) ?? (await history()).findLast((s) => tableId(s) === tableId(table));
    },
    async load() {
      (await history()).forEach(capture);
    },
  };
}

function signatureOf({ namespace, name, rest }: TableMapHead): string {
  return `${namespace}\u0000${name}\u0000${rest.toString("latin1")}`;
}

function notFull(map: TableMap): LockstepError {
  return new LockstepError(
    "CAPTURE_LOG_UNREADABLE",
    `the log describes ${tableId(map)} without its columns' names: SET GLOBAL binlog_row_metadata = FULL`,
  );
}
