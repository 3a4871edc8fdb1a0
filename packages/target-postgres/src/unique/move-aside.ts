import type { Cell } from "@lockstep/core";
import { ImmovableUniqueError } from "../classify.js";
import { keyArrays } from "../rows/keys.js";
import { matches, rowSource } from "../rows/row-source.js";
import type { RunInStep } from "../rows/statements.js";
import { refuseReferenced } from "../rows/remove.js";
import type { PostgresTable } from "../tables/postgres-table.js";
import { sqlState } from "../wire/sql-state.js";
import { type AsidePlan, planAside, withoutUpdate } from "./aside-plan.js";

/** Rows that were taken out: their cells by JSON key, for writes that don't know all of them. */
export type TakenOut = ReadonlyMap<string, readonly Cell[]>;

/** What moving aside needs of the step's transaction. */
export interface AsideTransaction {
  readonly run: RunInStep;
  savepoint<T>(work: () => Promise<T>): Promise<T>;
  random(): number;
}

/**
 * Makes the secondary unique values of these rows unique and out of everybody's way, so that a set whose final state is valid
 * can be written in any order (PROTOCOL.md 17).
 * @returns rows that had to be taken out instead.
 * @throws ImmovableUniqueError when neither is possible.
 */
export async function moveAside(
  { run, savepoint, random }: AsideTransaction,
  table: PostgresTable,
  keys: readonly string[],
): Promise<TakenOut> {
  if (keys.length === 0 || table.uniques.length === 0) return new Map();
  let plan: AsidePlan = planAside(table, "(s.base + s.n)");
  if (plan.kind === "update") {
    const text = updateStatement(table, plan.set);
    // Below 10^9 with the row's number added: integers and timestamps have room for it.
    const values = [...keyArrays(table, keys), String(Math.floor(random() * 990_000_000))];
    try {
      await savepoint(() => run([{ text, values }]));
      return new Map();
    } catch (error) {
      if (sqlState(error)?.startsWith("23") !== true) throw error;
      plan = withoutUpdate(table, table.uniques[0]!.name);
    }
  }
  if (plan.kind === "impossible") throw new ImmovableUniqueError(plan.constraint);
  return takeOut(run, table, keys);
}

function updateStatement(table: PostgresTable, set: readonly string[]): string {
  const source = rowSource(table.key);
  return `update ${table.quoted} t set ${set.join(", ")} from (select s.*, $${table.key.length + 1}::bigint as base from ${source.numbered}) s
    where ${matches(table.key, source.values)}`;
}

async function takeOut(run: RunInStep, table: PostgresTable, keys: readonly string[]): Promise<TakenOut> {
  await refuseReferenced(run, table, keys);
  const source = rowSource(table.key);
  const cells = table.columns.map(({ quoted }) => `t.${quoted}::text`);
  const text = `with gone as (delete from ${table.quoted} t using ${source.numbered} where ${matches(table.key, source.values)}
    returning s.n, ${cells.map((cell, i) => `${cell} as c${i}`).join(", ")}) select * from gone`;
  const [answer] = await run([{ text, values: keyArrays(table, keys) }]);
  return new Map(answer!.rows.map(([n, ...row]) => [keys[Number(n) - 1]!, row]));
}
