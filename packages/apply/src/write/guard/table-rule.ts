import type { TablePolicy } from "@lockstep/core";

/** How the guard judges the rows of a table. */
export type TableRule =
  /** The source alone is followed; where the target's rows were changed by somebody else, a policy decides. */
  { readonly kind: "one-way"; readonly policy: TablePolicy };
