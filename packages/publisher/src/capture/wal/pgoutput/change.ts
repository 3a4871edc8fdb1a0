import type { LoggedEvent } from "@lockstep/core";

/** What a change says of itself; its place in the log is the transaction's. */
export type Change = Pick<LoggedEvent, "op" | "schema" | "key" | "table"> & {
  readonly image?: string | undefined;
  readonly before?: string;
  readonly version?: string | undefined;
};
