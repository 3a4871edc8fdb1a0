import type { KeptCapture } from "@lockstep/core";
import { keptCapture } from "../kept-capture.js";
import type { MysqlSession } from "./connections.js";
import type { TableNames } from "./ddl.js";

/** Asks how the source is captured. */
export const keptQuery = ({ state }: Pick<TableNames, "state">): string =>
  `SELECT capture AS capture, capture_from AS \`from\`, capture_stage AS stage, capture_end AS \`end\` FROM ${state}`;

/** How the source is captured, on a connection of the relay's own. */
export async function readKept(session: MysqlSession, names: TableNames): Promise<KeptCapture | undefined> {
  const [row] = await session.rows(keptQuery(names));
  return keptOfCells(row);
}

/** What a row of {@link keptQuery} says. */
export function keptOfCells(row: readonly unknown[] | undefined): KeptCapture | undefined {
  const [capture, from, stage, end] = row ?? [];
  return keptCapture({ capture, from, stage, end });
}
