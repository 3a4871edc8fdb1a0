import {
  type ActiveForeignKey,
  type CaptureFinding,
  type OutboxTriggers,
  type RowNote,
  type RunStatement,
  tableId,
} from "@lockstep/core";
import { mysqlTriggers } from "@lockstep/outbox";
import type { CaptureSource, ForeignKeyActions } from "./source-capture.js";
import { activeForeignKeys } from "./subscriber/catalog/foreign-keys.js";

type Tables = readonly RowNote["table"][];

/** How what foreign keys of MySQL and MariaDB change is treated, and what doesn't see it. */
export interface UnseenActions {
  readonly actions: ForeignKeyActions;
  readonly by: "triggers" | "the log";
}

/**
 * The triggers of a source on MySQL or MariaDB: those that capture it, or, where the log does, only those that write what foreign keys change. The
 * engine does that without a word to triggers of the children or to the log (PROTOCOL.md 25).
 */
export function seenThroughTriggers(
  { outbox }: Pick<CaptureSource, "outbox">,
  { actions, by }: UnseenActions,
): OutboxTriggers {
  const triggers = mysqlTriggers({
    ...outbox,
    own: by === "triggers",
    ...(actions === "capture" && { foreignKeys }),
  });
  return {
    async plan(run, tables) {
      const { findings, ...rest } = await triggers.plan(run, tables);
      const unseen = actions === "refuse" ? await unseenByActions(run, tables, by) : [];
      return { findings: [...findings, ...unseen], ...rest };
    },
    removal: (run) => triggers.removal(run),
  };
}

function foreignKeys(run: RunStatement, tables: Tables): Promise<ActiveForeignKey[]> {
  return activeForeignKeys("mysql", run, [...new Set(tables.map(({ namespace }) => namespace))]);
}

async function unseenByActions(
  run: RunStatement,
  tables: Tables,
  by: UnseenActions["by"],
): Promise<CaptureFinding[]> {
  const wanted = new Set(tables.map(tableId));
  const keys = await foreignKeys(run, tables);
  const children = new Set(keys.map(({ child }) => tableId(child)).filter((table) => wanted.has(table)));
  return [...children].map((table) => ({
    table,
    problem: "refused" as const,
    message: `${table} has a foreign key whose action (CASCADE, SET NULL) ${by === "triggers" ? "no trigger sees" : "the log doesn't show"}: say foreignKeyActions: "capture" (triggers of its parents work it out), or use RESTRICT`,
  }));
}
