import { LockstepError } from "./errors.js";
import { tableId, type TableSchema } from "./table-schema.js";

/**
 * Refuses tables and columns whose names the target's server can't have: it would cut them, and look for what isn't there ever after. Pure.
 * @param fits whether the server takes a name as it is.
 * @param limit what it can have, for the message.
 * @throws LockstepError TARGET_NAME naming all of them.
 */
export function refuseNames(
  schemas: readonly TableSchema[],
  fits: (name: string) => boolean,
  limit: string,
): void {
  const problems = schemas.flatMap((schema) => {
    const names = [schema.name, ...schema.columns.map((column) => column.name)];
    return names
      .filter((name) => !fits(name))
      .map((name) => `${JSON.stringify(name)} (of ${tableId(schema)})`);
  });
  if (problems.length === 0) return;
  const what = [...new Set(problems)];
  throw new LockstepError("TARGET_NAME", `the target can't have these names: ${what.join(", ")}; ${limit}`, {
    details: { problems: what },
  });
}
