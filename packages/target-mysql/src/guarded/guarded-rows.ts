import type { GuardedRows, TargetTable } from "@lockstep/core";
import type { LaneId } from "../lane/checkpoint-row.js";
import type { Session } from "../session/session.js";
import type { TablePlan } from "../tables/mysql-table.js";
import { announceRows, type Announcing } from "./announce.js";
import { dropBases } from "./drop-bases.js";
import { insertRows } from "./insert-rows.js";
import { keepBases } from "./keep-bases.js";
import { look } from "./look.js";
import { record } from "./record.js";
import { lockVersions, putVersions } from "./versions.js";

/** Runs a part of a step, unless the server has rolled the step back. */
type Run = <T>(work: () => Promise<T>) => Promise<T>;

/** What a step can do for tables whose rows others may write. */
export function guardedRows(
  session: Session,
  lane: LaneId,
  plan: (table: TargetTable) => TablePlan,
  run: Run,
  { announce, namespace }: Announcing,
): GuardedRows {
  const told = announce && {
    announce: (table: TargetTable, keys: readonly string[]) =>
      run(() => announceRows(session, announce, namespace, table, keys)),
  };
  return {
    ...told,
    look: (table, keys, images = "changed") => run(() => look(session, plan(table), keys, images)),
    insert: (table, rows) => run(() => insertRows(session, plan(table), rows)),
    keepBases: (table, rows) => run(() => keepBases(session, plan(table), rows)),
    dropBases: (table, only) => run(() => dropBases(session, plan(table), only)),
    versions: (table, keys) => run(() => lockVersions(session, table.schema.name, keys)),
    putVersions: (table, versions) => run(() => putVersions(session, table.schema.name, versions)),
    record: (conflicts) => run(() => record(session, lane, conflicts, Date.now())),
  };
}
