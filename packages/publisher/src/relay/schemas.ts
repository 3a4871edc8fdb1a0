import type { LoggedChanges } from "@lockstep/core";
import type { RelayContext, Term } from "./relay-context.js";

/** Publishes schemas that this epoch hasn't seen: before the entries that use them (PROTOCOL.md 31). */
export async function publishNewSchemas(
  context: RelayContext,
  term: Term,
  page: readonly LoggedChanges[],
): Promise<void> {
  if (page.every(({ schema }) => term.schemas.has(schema))) return;
  await publishSchemas(context, term);
  // Markers name no schema; asking for it with every page would not make one.
  for (const { schema } of page) term.schemas.add(schema);
}

/** Publishes every schema that an event still held may name. */
export async function publishSchemas({ log, stream }: RelayContext, term: Term): Promise<void> {
  const schemas = await log.schemas();
  await stream.publishSchemas(schemas);
  for (const { fingerprint } of schemas) term.schemas.add(fingerprint);
}
