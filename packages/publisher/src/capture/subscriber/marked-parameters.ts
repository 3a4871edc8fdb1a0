import type { StructuredResult } from "./typeorm-internals.js";

/** Sends a statement by way of TypeORM's own runner. */
export type SendStatement = (sql: string, parameters: unknown[]) => Promise<StructuredResult>;

/** What becomes of a statement whose parameters are marked: it is capture's own and goes through as it is, or it is to be sent captured. */
export type Marked =
  "own" | ((sql: string, parameters: unknown[], send: SendStatement) => Promise<StructuredResult>);

// On the list itself, unseen: a young generation's collection keeps what a WeakMap holds, and would move every write's builder into the old one.
const mark = Symbol("lockstep");

/** Marks a statement by its own list of parameters, which stays the same from where it is made to where the runner sends it. */
export function markParameters(parameters: unknown[], marked: Marked): void {
  Object.defineProperty(parameters, mark, { value: marked, configurable: true });
}

/** The mark of a statement; `undefined` for one that capture has to look at. */
export function markOf(parameters: unknown[] | undefined): Marked | undefined {
  return (parameters as { readonly [mark]?: Marked } | undefined)?.[mark];
}
