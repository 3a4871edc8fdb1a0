import { rowId } from "../batch/planned-changes.js";
import type { StepRoom } from "./step-room.js";

/** Ends letters and notes it. */
export async function resolve(
  { transaction, ledger }: Pick<StepRoom, "transaction" | "ledger">,
  letters: readonly { readonly id: string; readonly table: string; readonly key: string }[],
  state: "applied" | "superseded",
): Promise<void> {
  if (letters.length === 0) return;
  await transaction.resolveLetters(
    letters.map(({ id }) => id),
    state,
  );
  if (state === "applied") ledger.records += letters.length;
  for (const { id, table, key } of letters) ledger.resolved.set(rowId(table, key), id);
}
