import type { WrittenColumn } from "../tables/postgres-table.js";
import type { Answer, Command } from "../wire/pipeline.js";
import type { RunInStep } from "./statements.js";

/**
 * Runs statements whose parameters (or COPY input) are these columns, in their order. Where the server says only which parameter
 * it couldn't read, the error names the column.
 */
export async function runOnRows(
  run: RunInStep,
  columns: readonly WrittenColumn[],
  commands: readonly Command[],
): Promise<readonly Answer[]> {
  try {
    return await run(commands);
  } catch (error) {
    nameColumn(error, columns);
    throw error;
  }
}

function nameColumn(error: unknown, columns: readonly WrittenColumn[]): void {
  if (typeof error !== "object" || error === null || !("where" in error)) return;
  const place: { readonly where?: unknown; column?: unknown } = error;
  if (typeof place.where !== "string" || typeof place.column === "string") return;
  const parameter = /portal parameter \$(\d+)/.exec(place.where)?.[1];
  // What follows the colon is the value.
  const copied = /^COPY .*?, line \d+, column (.*?)(?:: |$)/.exec(place.where)?.[1];
  const named =
    parameter === undefined
      ? columns.find(({ name }) => name === copied || name.startsWith(`${copied}: `))
      : columns[Number(parameter) - 1];
  if (named !== undefined) place.column = named.name;
}
