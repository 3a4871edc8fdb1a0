import { textLiteral } from "../sql/literal.js";
import type { Session } from "../session/session.js";
import type { TablePlan } from "../tables/mysql-table.js";

/** Forgets the bases of a table, or of the rows in it that have these texts in these columns of their key. */
export async function dropBases(
  session: Session,
  { name, schema }: TablePlan,
  only: Readonly<Record<string, string>> = {},
): Promise<void> {
  const shared = Object.entries(only).map(
    ([column, cell]) =>
      ` AND BINARY JSON_UNQUOTE(JSON_EXTRACT(row_key, '$[${schema.key.indexOf(column)}]')) = ${textLiteral(cell)}`,
  );
  await session.write(
    `DELETE FROM lockstep_row_base WHERE table_name = ${textLiteral(name)}${shared.join("")}`,
  );
}

const basesPerStatement = 10_000;

/** Forgets the bases of tables, some at a time: there may be one for each row. */
export async function dropBasesOf(session: Session, plans: readonly TablePlan[]): Promise<void> {
  const names = plans.map(({ name }) => name);
  const sql = `DELETE FROM lockstep_row_base WHERE table_name IN (?) LIMIT ${basesPerStatement}`;
  while ((await session.write(sql, [names])) > 0);
}
