import type { TableSchema } from "@lockstep/core";

/** Name of a change column that is suggested. */
const column = "changed_at";

/** Statements that a table's owner may run. */
export interface Suggestion {
  /** A change column that the database itself keeps, whoever writes, and its index. */
  readonly column: readonly string[];
  /** An index for a change column that is there. */
  readonly index: (column: string) => string;
}

/** How a table gets a change column, in its engine's own way: a trigger on PostgreSQL, ON UPDATE on MySQL and MariaDB. Pure. */
export function suggestion(schema: TableSchema): Suggestion {
  return schema.engine === "postgres" ? forPostgres(schema) : forMysql(schema);
}

function forPostgres({ namespace, name, key }: TableSchema): Suggestion {
  const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const table = `${quote(namespace)}.${quote(name)}`;
  const touch = `${quote(namespace)}.${quote(`${name}_${column}`)}`;
  const index = (of: string): string =>
    `CREATE INDEX CONCURRENTLY ON ${table} (${[of, ...key].map(quote).join(", ")});`;
  return {
    column: [
      `ALTER TABLE ${table} ADD COLUMN ${column} timestamptz NOT NULL DEFAULT now();`,
      `CREATE FUNCTION ${touch}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.${column} := clock_timestamp(); RETURN NEW; END $$;`,
      // The last of the BEFORE triggers by name: what another one changes afterwards is the same row.
      `CREATE TRIGGER zz_${column} BEFORE INSERT OR UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION ${touch}();`,
      index(column),
    ],
    index,
  };
}

function forMysql({ namespace, name }: TableSchema): Suggestion {
  const quote = (text: string): string => `\`${text.replaceAll("`", "``")}\``;
  const table = `${quote(namespace)}.${quote(name)}`;
  return {
    column: [
      `ALTER TABLE ${table} ADD COLUMN ${column} TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), ADD INDEX (${column});`,
    ],
    // InnoDB's indexes end with the primary key by themselves.
    index: (of) => `CREATE INDEX ${quote(of)} ON ${table} (${quote(of)});`,
  };
}
