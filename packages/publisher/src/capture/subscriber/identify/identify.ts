import type { Captured } from "../session.js";
import type { BuilderWrite, WriteStatement } from "../write.js";
import { insertByValues } from "./by-values.js";
import { updateKeys } from "./key-update.js";
import { returningKeys } from "./returning.js";
import { selectFirst } from "./select-first.js";
import { setsKey } from "./sets-key.js";

/** Sends a write and finds out which rows it touched, by the engine's best way. */
export async function identify(write: BuilderWrite, statement: WriteStatement): Promise<Captured> {
  return write.guarded(() => choose(write)(write, statement));
}

type Identification = (write: BuilderWrite, statement: WriteStatement) => Promise<Captured>;

function choose(write: BuilderWrite): Identification {
  const { builder, driver } = write;
  switch (builder.expressionMap.queryType) {
    case "insert":
      return insertReturns(write) ? returningKeys("insert") : insertByValues;
    case "delete":
      return driver.isReturningSqlSupported("delete") ? returningKeys("delete") : selectFirst("delete");
    default:
      if (setsKey(write)) return updateKeys;
      return driver.isReturningSqlSupported("update") ? returningKeys("update") : selectFirst("update");
  }
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
