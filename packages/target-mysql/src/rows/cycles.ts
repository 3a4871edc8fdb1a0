import type { RowWrite } from "@lockstep/core";
import type { ForeignKey } from "../tables/foreign-keys.js";
import type { PlannedColumn, TablePlan } from "../tables/mysql-table.js";

/** For each self-reference one column that may be NULL and isn't part of the key: NULL there switches the reference off. */
export function loosenable(plan: TablePlan): readonly PlannedColumn[] {
  return plan.selfKeys.flatMap((reference: ForeignKey) => {
    const column = plan.columns.find(
      (c) => reference.columns.includes(c.name) && c.target.nullable && !plan.key.includes(c),
    );
    return column === undefined ? [] : [column];
  });
}

/** The same rows with their references to the own table set to NULL, where the table allows it. */
export function withoutSelfReferences(plan: TablePlan, rows: readonly RowWrite[]): readonly RowWrite[] {
  const places = new Set(loosenable(plan).map((column) => column.place));
  return rows.map((row) => ({
    ...row,
    image: row.image.map((cell, place) => (places.has(place) ? null : cell)),
  }));
}
