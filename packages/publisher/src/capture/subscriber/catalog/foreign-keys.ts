import {
  type ActiveForeignKey,
  type Engine,
  type ReferentialAction,
  type RunStatement,
  tableId,
} from "@lockstep/core";

/** Every foreign key that has an action, of the namespaces named. */
export async function activeForeignKeys(
  engine: Engine,
  run: RunStatement,
  namespaces: readonly string[],
): Promise<ActiveForeignKey[]> {
  const rows = await (engine === "postgres" ? inPostgres(run) : inMysql(run, namespaces));
  const keys = new Map<string, ActiveForeignKey & { parentColumns: string[]; childColumns: string[] }>();
  for (const row of rows) {
    const text = (name: string) => String(row[name]);
    const child = { namespace: text("child_namespace"), name: text("child") };
    const id = `${tableId(child)} ${text("constraint_name")}`;
    const key = keys.get(id) ?? {
      parent: { namespace: text("parent_namespace"), name: text("parent") },
      parentColumns: [],
      child,
      childColumns: [],
      onDelete: actionOf(text("on_delete")),
      onUpdate: actionOf(text("on_update")),
    };
    key.parentColumns.push(text("parent_column"));
    key.childColumns.push(text("child_column"));
    keys.set(id, key);
  }
  return [...keys.values()].filter(({ onDelete, onUpdate }) => onDelete !== "none" || onUpdate !== "none");
}

// One row per column pair, in order. Constraints of partitions repeat their parent's.
function inPostgres(run: RunStatement) {
  return run(
    `SELECT k.conname AS constraint_name, k.confdeltype::text AS on_delete, k.confupdtype::text AS on_update,
            pn.nspname AS parent_namespace, p.relname AS parent, pa.attname AS parent_column,
            cn.nspname AS child_namespace, c.relname AS child, ca.attname AS child_column
       FROM pg_catalog.pg_constraint k
       JOIN pg_catalog.pg_class p ON p.oid = k.confrelid JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
       JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
       CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS u(child, parent, place)
       JOIN pg_catalog.pg_attribute pa ON pa.attrelid = p.oid AND pa.attnum = u.parent
       JOIN pg_catalog.pg_attribute ca ON ca.attrelid = c.oid AND ca.attnum = u.child
      WHERE k.contype = 'f' AND k.conparentid = 0 AND (k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd'))
      ORDER BY k.oid, u.place`,
  );
}

/** Parents may be in other databases, and have parents themselves. */
async function inMysql(run: RunStatement, namespaces: readonly string[]) {
  const asked = new Set<string>();
  const rows: Readonly<Record<string, unknown>>[] = [];
  for (let next = namespaces; next.length > 0;) {
    for (const namespace of next) asked.add(namespace);
    const found = await keysOfChildrenIn(run, next);
    rows.push(...found);
    const parents = new Set(found.map((row) => String(row["parent_namespace"])));
    next = [...parents].filter((namespace) => !asked.has(namespace));
  }
  return rows;
}

function keysOfChildrenIn(run: RunStatement, namespaces: readonly string[]) {
  return run(
    `SELECT k.CONSTRAINT_NAME AS constraint_name, r.DELETE_RULE AS on_delete, r.UPDATE_RULE AS on_update,
            k.REFERENCED_TABLE_SCHEMA AS parent_namespace, k.REFERENCED_TABLE_NAME AS parent, k.REFERENCED_COLUMN_NAME AS parent_column,
            k.TABLE_SCHEMA AS child_namespace, k.TABLE_NAME AS child, k.COLUMN_NAME AS child_column
       FROM information_schema.REFERENTIAL_CONSTRAINTS r
       JOIN information_schema.KEY_COLUMN_USAGE k
         ON k.CONSTRAINT_SCHEMA = r.CONSTRAINT_SCHEMA AND k.CONSTRAINT_NAME = r.CONSTRAINT_NAME AND k.TABLE_NAME = r.TABLE_NAME
      WHERE r.CONSTRAINT_SCHEMA IN (${namespaces.map(() => "?").join(", ")})
      ORDER BY k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION`,
    namespaces,
  );
}

function actionOf(rule: string): ReferentialAction {
  if (rule === "c" || rule === "CASCADE") return "cascade";
  return ["n", "d", "SET NULL", "SET DEFAULT"].includes(rule) ? "set" : "none";
}
