import type { AnnounceRows, TargetTable } from "@lockstep/core";
import type { Session, Values } from "../session/session.js";

/** Where a hub's decisions are told: the database's own outbox. */
export interface Announcing {
  readonly namespace: string;
  readonly announce?: AnnounceRows | undefined;
}

/** Has rows of this database, which is a source as well, captured as they are now in the open transaction. */
export async function announceRows(
  session: Session,
  announce: AnnounceRows,
  namespace: string,
  { schema: { name } }: TargetTable,
  keys: readonly string[],
): Promise<void> {
  await announce(
    (sql, parameters) => session.utf8Rows(sql, parameters as Values | undefined),
    keys.map((key) => ({ table: { namespace, name }, key: JSON.parse(key) as string[] })),
  );
}
