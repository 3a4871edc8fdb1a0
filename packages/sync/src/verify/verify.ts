import type { Compared, VerifyOptions } from "./compared.js";
import { reportTables } from "./report-tables.js";
import type { VerifyReport } from "./report.js";

/**
 * Compares a target with its source while both are written to, table by table. Digests are computed in the databases; only they and the keys of rows
 * that differ travel. What is only on its way is no difference.
 * @throws LockstepError RELAY_SILENT, TARGET_BEHIND; whatever the databases throw.
 */
export function verify(compared: Compared, options: VerifyOptions = {}): Promise<VerifyReport> {
  return reportTables(compared, options);
}
