import type { GuardedRows, TargetOptions, TargetTable } from "@lockstep/core";
import type { LaneName } from "../lane/checkpoint-row.js";
import type { StepStatements } from "../rows/statements.js";
import { postgresTable } from "../tables/postgres-table.js";
import { announceRows } from "./announce.js";
import { dropBases } from "./drop-bases.js";
import { insertRows } from "./insert-rows.js";
import { keepBases } from "./keep-bases.js";
import { look } from "./look.js";
import { record } from "./record.js";
import { lockVersions, putVersions } from "./versions.js";

/** What a step can do for tables whose rows others may write. */
export function guardedRows(
  { run }: StepStatements,
  lane: LaneName,
  { announce, namespace = "public" }: Pick<TargetOptions, "announce" | "namespace">,
): GuardedRows {
  const told = announce && {
    announce: (table: TargetTable, keys: readonly string[]) =>
      announceRows(run, announce, namespace, table, keys),
  };
  return {
    ...told,
    look: (table, keys, images = "changed") => look(run, postgresTable(table), keys, images),
    insert: (table, rows) => insertRows(run, postgresTable(table), rows),
    keepBases: (table, rows) => keepBases(run, postgresTable(table), rows),
    dropBases: (table, only) => dropBases(run, postgresTable(table), only),
    record: (conflicts) => record(run, lane, conflicts),
    versions: (table, keys) => lockVersions(run, table.schema.name, keys),
    putVersions: (table, versions) => putVersions(run, table.schema.name, versions),
  };
}
