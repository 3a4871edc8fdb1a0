import type { Session } from "../session/session.js";

/** A foreign key of the target. `columns` and `parentColumns` belong together by place. */
export interface ForeignKey {
  readonly name: string;
  readonly child: { readonly schema: string; readonly name: string };
  readonly columns: readonly string[];
  readonly parent: { readonly schema: string; readonly name: string };
  readonly parentColumns: readonly string[];
  /** True when deleting a parent would delete or change children by itself. */
  readonly cascadesDelete: boolean;
  /** True when changing the parent's columns would change children by itself. */
  readonly cascadesUpdate: boolean;
}

/** True when both ends are the same table. */
export function isSelfReference(key: ForeignKey): boolean {
  return key.child.schema === key.parent.schema && key.child.name === key.parent.name;
}

/**
 * Foreign keys that start or end at these tables. The catalog shows a child table only to a user who may read it: without that
 * right a cascade stays unseen (docs: the target's user needs SELECT on every table that references a mirrored one).
 */
export async function readForeignKeys(
  session: Session,
  schema: string,
  names: readonly string[],
): Promise<readonly ForeignKey[]> {
  const rules = await session.rows(
    `SELECT CONSTRAINT_SCHEMA AS s, TABLE_NAME AS t, CONSTRAINT_NAME AS name, DELETE_RULE AS onDelete, UPDATE_RULE AS onUpdate
     FROM information_schema.REFERENTIAL_CONSTRAINTS
     WHERE (CONSTRAINT_SCHEMA = ? AND TABLE_NAME IN (?)) OR (UNIQUE_CONSTRAINT_SCHEMA = ? AND REFERENCED_TABLE_NAME IN (?))`,
    [schema, names, schema, names],
  );
  if (rules.length === 0) return [];
  const columns = await session.rows(
    `SELECT TABLE_SCHEMA AS s, TABLE_NAME AS t, CONSTRAINT_NAME AS name, COLUMN_NAME AS col, REFERENCED_TABLE_SCHEMA AS ps,
       REFERENCED_TABLE_NAME AS pt, REFERENCED_COLUMN_NAME AS pcol FROM information_schema.KEY_COLUMN_USAGE
     WHERE TABLE_SCHEMA IN (?) AND TABLE_NAME IN (?) AND REFERENCED_TABLE_NAME IS NOT NULL
     ORDER BY TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION`,
    [rules.map((rule) => rule["s"]!), rules.map((rule) => rule["t"]!)],
  );
  return rules.flatMap((rule) => {
    const own = columns.filter(
      (c) => c["s"] === rule["s"] && c["t"] === rule["t"] && c["name"] === rule["name"],
    );
    const first = own[0];
    if (first === undefined) return [];
    return {
      name: rule["name"]!,
      child: { schema: rule["s"]!, name: rule["t"]! },
      columns: own.map((c) => c["col"]!),
      parent: { schema: first["ps"]!, name: first["pt"]! },
      parentColumns: own.map((c) => c["pcol"]!),
      cascadesDelete: cascades(rule["onDelete"]),
      cascadesUpdate: cascades(rule["onUpdate"]),
    };
  });
}

function cascades(rule: string | null | undefined): boolean {
  return rule !== "RESTRICT" && rule !== "NO ACTION";
}
