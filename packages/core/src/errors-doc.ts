import { errorTable, type Recovery } from "./errors.js";

const meanings: Readonly<Record<Recovery, string>> = {
  retry: "waits with backoff and tries again; nothing is skipped",
  "dead-letter": "sets the row aside as a letter and goes on with the others",
  halt: "stops this lane or relay and waits for a person; changes wait in the source",
  refuse: "refuses the input; nothing was changed",
};

/** The text of docs/errors.md: every code, what Lockstep does, what the user should do. */
export function errorsDocument(): string {
  const rows = Object.entries(errorTable).map(
    ([code, { recovery, hint }]) => `| \`${code}\` | ${recovery} | ${hint} |`,
  );
  const kinds = Object.entries(meanings).map(
    ([recovery, meaning]) => `- **${recovery}**: Lockstep ${meaning}.`,
  );
  return [
    "# Errors",
    "",
    "Every error a user can meet has a code. The table is generated from `packages/core/src/errors.ts` (`pnpm docs:errors`).",
    "",
    ...kinds,
    "",
    "| code | recovery | what to do |",
    "| --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}
