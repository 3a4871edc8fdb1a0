import { LockstepError, type TableSchema } from "@lockstep/core";
import type { Flavour } from "../session/flavour.js";
import type { Session } from "../session/session.js";
import { lockName } from "../lock-name.js";
import { quoteName, quoteTable } from "../sql/literal.js";
import { readCatalog, type CatalogTable } from "./catalog.js";
import { columnType } from "./type-mapping.js";
import { widens } from "./widening.js";
import type { TableOptions } from "./lane-tables.js";

const lockSeconds = 60;

/**
 * Makes missing tables, adds missing columns and widens those whose type grew at the source; true when anything was done. Managed tables have the source's columns and primary key and
 * nothing else: no foreign keys (PROTOCOL.md 29), no secondary keys, no NOT NULL beside the key; the source has enforced them.
 */
export async function makeTables(
  session: Session,
  schemas: readonly TableSchema[],
  catalog: ReadonlyMap<string, CatalogTable>,
  options: TableOptions,
): Promise<boolean> {
  if (statementsFor(schemas, catalog, session.flavour, options).length === 0) return false;
  // A session of its own: DDL may take longer than a statement of the lane is allowed.
  const ddl = await options.connectForDdl();
  try {
    const [lock] = await ddl.rows("SELECT GET_LOCK(?, ?) AS got", [
      lockName("ddl", options.namespace),
      lockSeconds,
    ]);
    if (lock?.["got"] !== "1") {
      throw new LockstepError("TARGET_UNAVAILABLE", "another process is making tables in the target");
    }
    const names = schemas.map((schema) => schema.name);
    const now = await readCatalog(ddl, options.namespace, names);
    for (const sql of statementsFor(schemas, now, ddl.flavour, options)) await runDdl(ddl, sql);
  } finally {
    await ddl.close();
  }
  return true;
}

// Schemas of one table are merged: two versions may come at once.
function statementsFor(
  schemas: readonly TableSchema[],
  catalog: ReadonlyMap<string, CatalogTable>,
  flavour: Flavour,
  options: TableOptions,
): readonly string[] {
  const byName = new Map<string, TableSchema[]>();
  for (const schema of schemas) byName.set(schema.name, [...(byName.get(schema.name) ?? []), schema]);
  return [...byName].flatMap(([name, versions]) =>
    statementFor(name, versions, catalog.get(name), flavour, options),
  );
}

function statementFor(
  name: string,
  versions: readonly TableSchema[],
  table: CatalogTable | undefined,
  flavour: Flavour,
  options: TableOptions,
): readonly string[] {
  const wanted = wantedColumns(versions, flavour, options);
  const quoted = quoteTable(options.namespace, name);
  if (table === undefined) {
    const key = versions[0]!.key.map(quoteName).join(", ");
    const body = [...wanted.values()].map(definition).join(", ");
    return [
      `CREATE TABLE ${quoted} (${body}, PRIMARY KEY (${key})) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE ${flavour.exactCollation}`,
    ];
  }
  const changes = [...wanted].flatMap(([id, column]) => {
    const found = table.columns.get(id);
    if (found === undefined) return [`ADD COLUMN ${definition(column)}`];
    return !found.generated && widens(found.fullType, column.type)
      ? [`MODIFY COLUMN ${definition(column)}`]
      : [];
  });
  return changes.length === 0 ? [] : [`ALTER TABLE ${quoted} ${changes.join(", ")}`];
}

interface WantedColumn {
  readonly name: string;
  readonly type: string;
  readonly inKey: boolean;
}

// Two versions of a schema may come at once: the wider type is wanted.
function wantedColumns(
  versions: readonly TableSchema[],
  flavour: Flavour,
  options: TableOptions,
): ReadonlyMap<string, WantedColumn> {
  const wanted = new Map<string, WantedColumn>();
  for (const schema of versions) {
    for (const column of schema.columns) {
      const id = column.name.toLowerCase();
      const type = columnType(schema, column, flavour, options);
      const known = wanted.get(id);
      if (known !== undefined && !widens(known.type, type)) continue;
      wanted.set(id, { name: column.name, type, inKey: schema.key.includes(column.name) });
    }
  }
  return wanted;
}

function definition({ name, type, inKey }: WantedColumn): string {
  return `${quoteName(name)} ${type} ${inKey ? "NOT NULL" : "NULL"}`;
}

// What the server says of a definition it refuses: syntax, unknown type, key or row too long, TEXT in a key, too many digits.
const refusedDefinition = new Set([1063, 1064, 1067, 1071, 1074, 1118, 1170, 1425, 1426, 1427, 1439, 4161]);

async function runDdl(session: Session, sql: string): Promise<void> {
  try {
    await session.write(sql);
  } catch (cause) {
    if (!(cause instanceof Error && "errno" in cause && refusedDefinition.has(Number(cause.errno))))
      throw cause;
    throw new LockstepError(
      "COLUMN_TYPE_UNSUPPORTED",
      `the target refuses the definition: ${cause.message}`,
      {
        cause,
      },
    );
  }
}
