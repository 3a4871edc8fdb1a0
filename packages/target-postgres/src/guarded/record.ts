import type { ConflictWrite } from "@lockstep/core";
import type { LaneName } from "../lane/checkpoint-row.js";
import { own } from "../own-tables/ddl.js";
import type { RunInStep } from "../rows/statements.js";
import { arrayText } from "../sql/quote.js";

const texts = ["table", "key", "position", "policy", "outcome", "source", "target", "result"] as const;

/** Keeps what was decided, in the transaction that writes it. */
export async function record(
  run: RunInStep,
  lane: LaneName,
  conflicts: readonly ConflictWrite[],
): Promise<void> {
  if (conflicts.length === 0) return;
  const arrays = texts.map((name) => arrayText(conflicts.map((one) => one[name] ?? null)));
  await run([{ text: insert, values: [lane.source, String(lane.partition), ...arrays], prepared: true }]);
}

const insert = `insert into ${own.conflict} (source, partition, at, table_name, row_key, position, policy, outcome, source_image, target_image, result_image)
  select $1, $2::integer, clock_timestamp(), s.* from unnest(${texts.map((_, i) => `$${i + 3}::text[]`).join(", ")}) as s`;
