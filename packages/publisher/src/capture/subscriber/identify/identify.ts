import type { RowChange } from "@lockstep/core";
import type { Captured } from "../session.js";
import type { WriteBuilder } from "../typeorm-internals.js";
import type { BuilderWrite, WriteStatement } from "../write.js";
import { insertByValues } from "./by-values.js";
import { insertReturning } from "./inserted-keys.js";
import { updateKeys } from "./key-update.js";
import { returningKeys } from "./returning.js";
import { selectFirst } from "./select-first.js";
import { hasWritingCte } from "./writing-cte.js";
import { type Assignment, assignedColumns, setsKey } from "./assigned-columns.js";
import { movesRows, withMovedRows } from "./moved-rows.js";
import { withCascades } from "./with-cascades.js";

/** Sends a write and finds out which rows it touched, by the engine's best way. */
export function identify(write: BuilderWrite, statement: WriteStatement): Promise<Captured> {
  return write.guarded(() => choose(write)(write, statement));
}

type Identification = (write: BuilderWrite, statement: WriteStatement) => Promise<Captured>;

function choose(write: BuilderWrite): Identification {
  const { builder, driver, table } = write;
  if (hasWritingCte(builder)) {
    write.refuse("a common table expression that writes");
    return returningKeys(kindOf(builder));
  }
  switch (builder.expressionMap.queryType) {
    case "insert": {
      const identification = insertReturns(write) ? insertReturning : insertByValues;
      return movesRows(write) ? withMovedRows(write, identification) : identification;
    }
    case "delete": {
      const returns = driver.isReturningSqlSupported("delete");
      const identification = returns ? returningKeys("delete") : selectFirst("delete");
      return withCascades(write, { kind: "delete" }, identification);
    }
    default: {
      const assigned = assignedColumns(write);
      if (setsKey(table, assigned)) return withCascades(write, changeOf(assigned), updateKeys);
      const returns = driver.isReturningSqlSupported("update");
      const identification = returns ? returningKeys("update") : selectFirst("update");
      return withCascades(write, changeOf(assigned), identification);
    }
  }
}

function kindOf({ expressionMap: { queryType } }: WriteBuilder): "insert" | "update" | "delete" {
  return queryType === "insert" || queryType === "delete" ? queryType : "update";
}

function changeOf(assigned: readonly Assignment[]): RowChange {
  return { kind: "update", columns: assigned.map(({ column }) => column) };
}

// MariaDB answers with rows or with counts, never both: where the application gets counts that rows don't tell (ON DUPLICATE KEY UPDATE
// counts 2 for an update), the keys are found by the values.
function insertReturns(write: BuilderWrite): boolean {
  if (!write.driver.isReturningSqlSupported("insert")) return false;
  if (write.engine === "postgres") return true;
  return (
    write.builder.expressionMap.onUpdate === undefined ||
    write.builder.createReturningExpression("insert") !== ""
  );
}
