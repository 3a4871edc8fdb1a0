import { ImmovableUniqueError } from "../classify.js";
import { keyArrays } from "../rows/keys.js";
import { removeRows } from "../rows/remove.js";
import { matches, rowSource } from "../rows/row-source.js";
import type { StepStatements } from "../rows/statements.js";
import type { PostgresTable } from "../tables/postgres-table.js";
import { sqlState } from "../wire/sql-state.js";
import { type AsidePlan, planAside, withoutUpdate } from "./aside-plan.js";

/**
 * Makes the secondary unique values of these rows unique and out of everybody's way, so that a set whose final state is valid
 * can be written in any order (PROTOCOL.md 17). Where no value can be changed, the rows are taken out. Either way each of them
 * must be written whole, or removed, in the same transaction.
 * @throws ImmovableUniqueError when neither is possible.
 */
export async function moveAside(
  step: StepStatements,
  table: PostgresTable,
  keys: readonly string[],
  random: () => number = Math.random,
): Promise<void> {
  if (keys.length === 0 || table.uniques.length === 0) return;
  let plan: AsidePlan = planAside(table, "(s.base + s.n)");
  if (plan.kind === "update") {
    const text = updateStatement(table, plan.set);
    // Below 10^9 with the row's number added: integers and timestamps have room for it.
    const values = [...keyArrays(table, keys), String(Math.floor(random() * 990_000_000))];
    try {
      await step.savepoint(() => step.run([{ text, values }]));
      return;
    } catch (error) {
      // A CHECK, a domain or a foreign key didn't like the value.
      if (sqlState(error)?.startsWith("23") !== true) throw error;
      plan = withoutUpdate(table, table.uniques[0]!.name);
    }
  }
  if (plan.kind === "impossible") throw new ImmovableUniqueError(plan.constraint);
  await removeRows(step.run, table, keys);
}

function updateStatement(table: PostgresTable, set: readonly string[]): string {
  const source = rowSource(table.key);
  return `update ${table.quoted} t set ${set.join(", ")} from (select s.*, $${table.key.length + 1}::bigint as base from ${source.numbered}) s
    where ${matches(table.key, source.values)}`;
}
