import type { AnnounceRows, TargetTable } from "@lockstep/core";
import type { RunInStep } from "../rows/statements.js";

/** Has rows of this database, which is a source as well, captured as they are now in the open transaction. */
export async function announceRows(
  run: RunInStep,
  announce: AnnounceRows,
  namespace: string,
  { schema: { name } }: TargetTable,
  keys: readonly string[],
): Promise<void> {
  await announce(
    async (text, parameters = []) => {
      const [answer] = await run([
        { text, values: parameters as readonly (string | null)[], prepared: true },
      ]);
      // The outbox's functions answer with one column: how much they have written.
      return answer!.rows.map(([written]) => ({ written }));
    },
    keys.map((key) => ({ table: { namespace, name }, key: JSON.parse(key) as string[] })),
  );
}
