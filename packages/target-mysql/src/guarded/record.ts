import type { ConflictWrite } from "@lockstep/core";
import type { LaneId } from "../lane/checkpoint-row.js";
import { textLiteral } from "../sql/literal.js";
import { packets } from "../sql/packets.js";
import type { Session } from "../session/session.js";

/** Keeps what was decided, in the transaction that writes it. */
export async function record(
  session: Session,
  { source, partition }: LaneId,
  conflicts: readonly ConflictWrite[],
  now: number,
): Promise<void> {
  const rows = conflicts.map((one) => {
    const texts = [
      one.table,
      one.key,
      one.position,
      one.policy,
      one.outcome,
      one.source,
      one.target,
      one.result,
    ];
    const literals = texts.map((text) => (text === undefined ? "NULL" : textLiteral(text)));
    return `(${textLiteral(source)},${partition},${now},${literals.join(",")})`;
  });
  const head =
    "INSERT INTO lockstep_conflict (source, part, at, table_name, row_key, position, policy, outcome, source_image, target_image, result_image) VALUES ";
  for (const { sql } of packets(head, rows, ",", "", session.flavour.maxPacketBytes))
    await session.write(sql);
}
