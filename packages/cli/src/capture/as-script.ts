import type { Engine } from "@lockstep/core";

/** Statements as the engine's own client takes them from a file: `psql`, `mysql`. Pure. */
export function asScript(engine: Engine, statements: readonly string[]): string[] {
  if (statements.length === 0) return [];
  if (engine === "postgres") return statements.map((statement) => `${statement};`);
  // Bodies of triggers hold semicolons.
  return ["DELIMITER $$", ...statements.map((statement) => `${statement} $$`), "DELIMITER ;"];
}
