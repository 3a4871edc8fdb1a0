import type { LetterState } from "@lockstep/core";
import type { ContractContext } from "./contract-context.js";
import { type ContractLane, letterWrite } from "./contract-lane.js";
import { contractTable, type ContractTable } from "./contract-table.js";

/** Describes a table whose rows have letters; it is not made. */
export function describedTable(context: ContractContext, name: string): ContractTable {
  return contractTable(context.fixture, name, { id: "integer", note: "string" });
}

/** One step that makes or replaces a row's letter; its id. */
export async function putLetter(
  lane: ContractLane,
  table: ContractTable,
  key: string,
  rest: Parameters<typeof letterWrite>[2] = {},
): Promise<string> {
  let id = "";
  await lane.step(async (transaction) => {
    id = await transaction.putLetter(letterWrite(table, key, rest));
  });
  return id;
}

/** Counts of every state; the ones that aren't given are 0. */
export function stateCounts(
  some: Partial<Record<LetterState, number>>,
): Readonly<Record<LetterState, number>> {
  return { retrying: 0, due: 0, waiting: 0, dead: 0, applied: 0, superseded: 0, discarded: 0, ...some };
}
