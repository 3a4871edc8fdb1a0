import type { Engine, Target, TargetOptions } from "@lockstep/core";
import { mysqlTarget } from "@lockstep/target-mysql";
import { postgresTarget } from "@lockstep/target-postgres";

/** The target of an engine. */
export function openTarget(engine: Engine, options: TargetOptions): Target {
  return engine === "postgres" ? postgresTarget(options) : mysqlTarget(options);
}
