import type { Engine, Target, TargetOptions } from "@lockstep/core";
import { mysqlTarget } from "@lockstep/target-mysql";

/** The target of an engine. */
export function openTarget(engine: Engine, options: TargetOptions): Target {
  if (engine === "postgres") throw new Error("soon");
  return mysqlTarget(options);
}
