import { maxPageBytes, type Position } from "@lockstep/core";
import { own } from "../own-tables/ddl.js";
import type { RunInStep } from "../rows/statements.js";
import { arrayText } from "../sql/quote.js";
import type { LaneName } from "./checkpoint-row.js";

/** A line of a transaction that is too large for one step. */
export interface StagedLine {
  readonly n: number;
  readonly line: string;
}

/** Adds lines behind those that are there. */
export async function stageLines(
  run: RunInStep,
  lane: LaneName,
  position: Position,
  lines: readonly string[],
): Promise<void> {
  if (lines.length === 0) return;
  await run([
    {
      prepared: true,
      text: `insert into ${own.staging} (source, partition, n, position, line)
        select $1, $2::integer, l.n + coalesce((select max(n) from ${own.staging} where source = $1 and partition = $2::integer), 0), $3, l.line
        from unnest($4::text[]) with ordinality as l(line, n)`,
      values: [lane.source, String(lane.partition), position, arrayText(lines)],
    },
  ]);
}

/** Lines after number `after`, in order: as many as fit, by their sizes, which are looked at first. */
export async function stagedLines(
  run: RunInStep,
  lane: LaneName,
  after: number,
  limit: number,
): Promise<readonly StagedLine[]> {
  const [answer] = await run([
    {
      prepared: true,
      text: `select n, line from ${own.staging} where source = $1 and partition = $2 and n > $3 and n <= (
  select max(n) from (
    select n, sum(bytes) over (order by n) as through, bytes from (
      select n, octet_length(line) as bytes from ${own.staging}
       where source = $1 and partition = $2 and n > $3 order by n limit $4) page) sized
   where through <= $5 or through = bytes) order by n`,
      values: [lane.source, String(lane.partition), String(after), String(limit), String(maxPageBytes)],
    },
  ]);
  return answer!.rows.map(([n, line]) => ({ n: Number(n), line: line! }));
}

/** Forgets all lines of the lane. */
export async function clearStagedLines(run: RunInStep, lane: LaneName): Promise<void> {
  await run([
    {
      prepared: true,
      text: `delete from ${own.staging} where source = $1 and partition = $2`,
      values: [lane.source, String(lane.partition)],
    },
  ]);
}
