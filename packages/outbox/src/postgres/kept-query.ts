import type { KeptCapture } from "@lockstep/core";
import type pg from "pg";
import { keptCapture } from "../kept-capture.js";

/** Asks how the source is captured. */
export const keptQuery = (s: string): string =>
  `select capture, capture_from as "from", capture_stage as stage, capture_end as "end" from ${s}.state`;

/** How the source is captured, on a connection of the relay's own. */
export async function readKept(client: pg.ClientBase, s: string): Promise<KeptCapture | undefined> {
  const { rows } = await client.query<Record<string, unknown>>(keptQuery(s));
  return keptCapture(rows[0]);
}
