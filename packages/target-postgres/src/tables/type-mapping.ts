import type { ColumnSchema } from "@lockstep/core";

/**
 * The type a managed table gives a column.
 *
 * From PostgreSQL: the source's own type; enums, domains and every other type that isn't built in become `text` (the text
 * their values are printed as), and so do the types whose values are names of objects (regclass, aclitem, …).
 *
 * From MySQL and MariaDB:
 *
 * | source | here | why |
 * |---|---|---|
 * | tinyint(1) (kind boolean) | boolean | |
 * | tinyint, smallint; smallint unsigned, mediumint, int | smallint; integer | the smallest that holds all values |
 * | int unsigned, bigint; bigint unsigned | bigint; numeric(20) | |
 * | decimal(p,s) | numeric(p,s) | |
 * | float, double | double precision | a FLOAT is read as DOUBLE |
 * | char(n), varchar(n); other text | character varying(n); text | char(n) here would pad |
 * | enum, set | text | |
 * | binary, varbinary, blobs | bytea | |
 * | bit(n) | bit(n) | |
 * | date | date | `0000-00-00` is refused (a letter) |
 * | time | interval | TIME goes from -838:59:59 to 838:59:59 |
 * | datetime; timestamp | timestamp(6); timestamp(6) with time zone | |
 * | year | integer | |
 * | json | json | keeps the text; jsonb would change it and refuses `\u0000` |
 * | uuid | uuid | |
 * | others (geometry, inet6, …) | text | |
 */
export function managedType(
  column: ColumnSchema,
  engine: "postgres" | "mysql",
  builtIn: ReadonlySet<string>,
): string {
  return engine === "postgres" ? fromPostgres(column, builtIn) : fromMysql(column);
}

/** Types of these columns that may be built in: what to ask the target about. */
export function builtInCandidates(columns: readonly ColumnSchema[]): readonly string[] {
  return [...new Set(columns.map(({ type }) => type).filter((type) => plainTypeName.test(type)))];
}

// Words, then length or precision, then words ("with time zone"), then array brackets. Nothing else reaches a statement.
const plainTypeName = /^(?:[a-z][a-z0-9_ ]*|"char")(?:\(-?\d+(?:,-?\d+)?\))?(?: [a-z ]+)?(?:\[\])*$/;

// Tables, roles and the like that exist at the source; a target without them would refuse the value, and as a missing table at that.
const objectNames =
  /^(?:reg(?:class|type|proc|procedure|oper|operator|role|namespace|collation|config|dictionary)|aclitem)(?:\[\])*$/;

function fromPostgres({ type, kind }: ColumnSchema, builtIn: ReadonlySet<string>): string {
  if (kind !== "enum" && builtIn.has(type) && !objectNames.test(type)) return type;
  return type.endsWith("[]") ? "text[]" : "text";
}

function fromMysql(column: ColumnSchema): string {
  const type = column.type.toLowerCase();
  switch (column.kind) {
    case "boolean":
      return "boolean";
    case "integer":
      return mysqlInteger(type);
    case "numeric":
      return `numeric(${column.precision ?? 65},${column.scale ?? 0})`;
    case "float":
      return "double precision";
    case "text":
      return /^(var)?char\b/.test(type) && column.length !== undefined
        ? `character varying(${Math.max(column.length, 1)})`
        : "text";
    case "bytes":
      return "bytea";
    case "bits":
      return `bit(${column.length ?? 1})`;
    case "uuid":
      return "uuid";
    case "json":
      return "json";
    case "date":
      return "date";
    case "time":
      return "interval";
    case "timestamp":
      return "timestamp(6) without time zone";
    case "timestamptz":
      return "timestamp(6) with time zone";
    case "enum":
    case "other":
      return "text";
  }
}

function mysqlInteger(type: string): string {
  const unsigned = type.includes("unsigned");
  if (type.startsWith("tinyint")) return "smallint";
  if (type.startsWith("smallint")) return unsigned ? "integer" : "smallint";
  if (type.startsWith("bigint")) return unsigned ? "numeric(20,0)" : "bigint";
  if (type.startsWith("int")) return unsigned ? "bigint" : "integer";
  return "integer";
}
