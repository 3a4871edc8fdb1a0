import {
  type ChangeKind,
  type ColumnSchema,
  LockstepError,
  type SurveyedTable,
  tableId,
  type TableSchema,
} from "@lockstep/core";
import { suggestion } from "./suggest.js";

/** How a table's changes are to be found, as the configuration says. */
export interface WatchedSettings {
  readonly column: string;
  /** Default: by the column's type. */
  readonly kind?: ChangeKind;
  readonly softDelete?: string;
}

/**
 * What the change column's values are. Pure.
 * @throws LockstepError TABLE_WITHOUT_PRIMARY_KEY, INCREMENTAL_COLUMN, INCREMENTAL_INDEX.
 */
export function judgeTable(
  { schema, indexed }: SurveyedTable,
  { column, kind, softDelete }: WatchedSettings,
): ChangeKind {
  const id = tableId(schema);
  if (schema.key.length === 0) {
    throw new LockstepError("TABLE_WITHOUT_PRIMARY_KEY", `no primary key: ${id}`, {
      details: { tables: [id] },
    });
  }
  const changed = columnOf(schema, column);
  if (softDelete !== undefined) columnOf(schema, softDelete);
  const fit = kindOf(id, changed, kind);
  if (!indexed.includes(column)) {
    throw new LockstepError(
      "INCREMENTAL_INDEX",
      `no index of ${id} begins with ${column}: each pass would read the whole table; ${suggestion(schema).index(column)}`,
    );
  }
  return fit;
}

function columnOf(schema: TableSchema, name: string): ColumnSchema {
  const found = schema.columns.find((column) => column.name === name);
  if (found !== undefined) return found;
  const id = tableId(schema);
  const known = schema.columns.map((column) => column.name).join(", ");
  throw new LockstepError(
    "INCREMENTAL_COLUMN",
    `${id} has no column ${name}; it has ${known}. A column that the database itself keeps is made by:\n${suggestion(schema).column.join("\n")}\n`,
  );
}

/** What a row's own version is usually called; the database doesn't know how it is counted. */
const ownVersion = /^(?:(?:row|lock|entity|object|opt)_?)?(?:version|revision|rev)(?:_?(?:no|number))?$/i;

function kindOf(id: string, { name, type, kind }: ColumnSchema, wanted: ChangeKind | undefined): ChangeKind {
  const isTime = kind === "timestamp" || kind === "timestamptz";
  const isNumber = kind === "integer" || (kind === "numeric" && !/float|double|real/.test(type));
  const fit = wanted ?? (isTime ? "timestamp" : "number");
  if (wanted === undefined && isNumber && ownVersion.test(name)) {
    throw new LockstepError(
      "INCREMENTAL_COLUMN",
      `${id}.${name} looks like a version that each row counts for itself (@VersionColumn), which says nothing about other rows; if every write of any row raises it above all others, say kind: "number"`,
    );
  }
  if (fit === "timestamp" ? isTime : isNumber) return fit;
  throw new LockstepError(
    "INCREMENTAL_COLUMN",
    `${id}.${name} is ${type}: ` +
      (wanted === undefined
        ? "neither a time of day and date nor an exact number"
        : `it can't be read as ${wanted}`),
  );
}
