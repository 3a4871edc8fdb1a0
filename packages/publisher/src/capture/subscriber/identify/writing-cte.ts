import type { WriteBuilder } from "../typeorm-internals.js";

const writes = /\b(?:insert\s+into|update|delete\s+from|merge\s+into)\b/i;

/** True when the statement carries another one that may write: its rows come back in no result, and asking for them would write them twice. */
export function hasWritingCte({ expressionMap }: WriteBuilder): boolean {
  return (expressionMap.commonTableExpressions ?? []).some(({ queryBuilder }) =>
    writes.test(typeof queryBuilder === "string" ? queryBuilder : queryBuilder.getQuery()),
  );
}
