import { type ForeignKeyGraph, type RowChange, tableId } from "@lockstep/core";
import type { TableShape } from "../table-shape.js";
import { cascadeBodies } from "./cascade-triggers.js";
import { cascadeWalk, referencedColumns } from "./cascade-walk.js";
import type { FollowedTable } from "./followed-table.js";
import { type FiringEvent, triggerBody } from "./trigger-body.js";

/** A trigger that a table needs. */
export interface WantedTrigger {
  readonly timing: "BEFORE" | "AFTER";
  readonly event: FiringEvent;
  readonly body: string;
}

/** What the triggers of a source go by. */
export interface TriggerRules {
  /** Lockstep's tables, quoted, with their database. */
  readonly outbox: string;
  readonly cascade: string;
  readonly graph: ForeignKeyGraph;
  /** The tables that rows are followed through, by id. */
  readonly followed: ReadonlyMap<string, FollowedTable>;
}

/** The triggers of a table, in the order in which they are to be made. `isOwn`: they also write the table's own changes. Pure. */
export function wantedTriggers(rules: TriggerRules, shape: TableShape, isOwn: boolean): WantedTrigger[] {
  const own = (event: FiringEvent) => (isOwn ? triggerBody(rules.outbox, shape, event) : undefined);
  const after = (event: FiringEvent): WantedTrigger[] => {
    const body = own(event);
    return body === undefined ? [] : [{ timing: "AFTER", event, body }];
  };
  const acting = (event: "update" | "delete"): WantedTrigger[] => {
    const bodies = bodiesOf(rules, shape, event, own(event));
    if (bodies === undefined) return after(event);
    // BEFORE first: an AFTER without it refuses.
    return [
      { timing: "BEFORE", event, body: bodies.before },
      { timing: "AFTER", event, body: bodies.after },
    ];
  };
  return [...after("insert"), ...acting("update"), ...acting("delete")];
}

function bodiesOf(
  { outbox, cascade, graph, followed }: TriggerRules,
  { schema }: TableShape,
  event: "update" | "delete",
  own: string | undefined,
) {
  const referenced = referencedColumns(
    graph,
    schema,
    schema.columns.map(({ name }) => name),
  );
  const change: RowChange = event === "delete" ? { kind: "delete" } : { kind: "update", columns: referenced };
  const walk = cascadeWalk(graph, schema, change);
  if (walk.steps.length === 0 || walk.states.some(({ table }) => !followed.has(tableId(table))))
    return undefined;
  const settings = {
    outbox,
    cascade,
    event,
    walk,
    tableOf: (table: Parameters<typeof tableId>[0]) => followed.get(tableId(table))!,
  };
  return cascadeBodies(settings, { table: tableId(schema), referenced, ...(own !== undefined && { own }) });
}
