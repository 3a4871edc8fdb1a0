import {
  type CaptureFinding,
  type ForeignKeyGraph,
  type RowChange,
  type RowNote,
  type RunStatement,
  tableId,
} from "@lockstep/core";
import type { ShapeReader } from "../table-shape.js";
import { cascadeWalk } from "./cascade-walk.js";
import { type FollowedTable, readKeyTypes, whyNotFollowed } from "./followed-table.js";

type Table = RowNote["table"];

/** Describes the tables that rows are followed through, and names those whose rows can't be. */
export async function followTables(
  run: RunStatement,
  shapes: ShapeReader,
  graph: ForeignKeyGraph,
  captured: readonly Table[],
): Promise<{
  readonly followed: ReadonlyMap<string, FollowedTable>;
  readonly findings: readonly CaptureFinding[];
}> {
  const ids = new Set(captured.map(tableId));
  const followed = new Map<string, FollowedTable>();
  const findings: CaptureFinding[] = [];
  for (const [id, table] of await reached(run, shapes, graph)) {
    const shape = await shapes(run, table);
    const why = shape ? whyNotFollowed(shape) : "it is gone";
    if (shape && why === undefined) {
      followed.set(id, { shape, isCaptured: ids.has(id), keyTypes: await readKeyTypes(run, shape) });
    } else {
      const message = `${id} has rows that foreign keys change and that can't be followed: ${why}`;
      findings.push({ table: id, problem: "refused", message });
    }
  }
  return { followed, findings };
}

async function reached(
  run: RunStatement,
  shapes: ShapeReader,
  graph: ForeignKeyGraph,
): Promise<Map<string, Table>> {
  const tables = new Map<string, Table>();
  for (const parent of graph.parents) {
    const columns = (await shapes(run, parent))?.schema.columns.map(({ name }) => name) ?? [];
    const changes: RowChange[] = [{ kind: "delete" }, { kind: "update", columns }];
    for (const change of changes) {
      for (const { table } of cascadeWalk(graph, parent, change).states) tables.set(tableId(table), table);
    }
  }
  return tables;
}
