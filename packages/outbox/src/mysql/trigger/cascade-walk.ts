import {
  type ActiveForeignKey,
  type ForeignKeyGraph,
  type RowChange,
  type RowNote,
  tableId,
} from "@lockstep/core";

type Table = RowNote["table"];

/** Rows of a table to which the same happens. */
export interface WalkState {
  /** From 1. */
  readonly number: number;
  readonly table: Table;
  readonly change: RowChange;
}

/** A foreign key on the way from rows that change to rows that change with them. */
export interface WalkStep {
  /** Absent: from the row that the statement itself changes. */
  readonly from?: WalkState;
  readonly key: ActiveForeignKey;
  readonly to: WalkState;
}

/** Everything that a write to one table makes the database change. */
export interface CascadeWalk {
  readonly states: readonly WalkState[];
  readonly steps: readonly WalkStep[];
}

/**
 * Where a delete of rows of `root`, or a change of these columns of them, leads to. A cycle comes back to a state that is known: how often
 * it is gone round depends on the rows. Pure.
 */
export function cascadeWalk(graph: ForeignKeyGraph, root: Table, change: RowChange): CascadeWalk {
  const states = new Map<string, WalkState>();
  const steps: WalkStep[] = [];
  const walk = (from: WalkState | undefined, table: Table, change: RowChange): void => {
    for (const { key, change: next } of graph.actingOn(table, change)) {
      const id = JSON.stringify([tableId(key.child), next]);
      const known = states.get(id);
      const to = known ?? { number: states.size + 1, table: key.child, change: next };
      steps.push({ ...(from && { from }), key, to });
      if (known) continue;
      states.set(id, to);
      walk(to, to.table, next);
    }
  };
  walk(undefined, root, change);
  return { states: [...states.values()], steps };
}

/** Columns of a table that foreign keys with ON UPDATE point to. */
export function referencedColumns(graph: ForeignKeyGraph, table: Table, all: readonly string[]): string[] {
  const acting = graph.actingOn(table, { kind: "update", columns: all });
  return [...new Set(acting.flatMap(({ key }) => key.parentColumns))];
}
