import type { TargetMapping } from "@lockstep/core";
import type { Lane, LaneOptions } from "../../src/index.js";
import type { StageTools } from "../lane/lane-suite.js";

/** What mapping tests ask of their stage. */
export interface MappingTools extends StageTools {
  /** A lane under a mapping; into tables that Lockstep makes, unless `external`. */
  map(map: TargetMapping, options?: Partial<LaneOptions> & { readonly external?: true }): Lane;
}

export const secret = "a secret of enough characters";
export const quick = { delayMs: 50, jitter: 0, attempts: 2 };

/** The stage of the running test. */
export type MappingUse = () => MappingTools;
