import type { StructuredResult } from "./typeorm-internals.js";

/** Sends a statement by way of TypeORM's own runner. */
export type SendStatement = (sql: string, parameters: unknown[]) => Promise<StructuredResult>;

/** What becomes of a statement whose parameters are marked: it is capture's own and goes through as it is, or it is to be sent captured. */
export type Marked =
  "own" | ((sql: string, parameters: unknown[], send: SendStatement) => Promise<StructuredResult>);

/** Gives the object that it is given for its own. */
class Given {
  constructor(given: object) {
    return given as Given;
  }
}

// On the list itself, in a field that nobody else can see: a young generation's collection keeps what a WeakMap holds, and would move every write's builder into
// the old one; a property that is not enumerable takes seven times as long.
class Mark extends Given {
  #marked: Marked;

  constructor(parameters: object, marked: Marked) {
    super(parameters);
    this.#marked = marked;
  }

  static set(parameters: object, marked: Marked): void {
    if (#marked in parameters) parameters.#marked = marked;
    else new Mark(parameters, marked);
  }

  static of(parameters: object): Marked | undefined {
    return #marked in parameters ? parameters.#marked : undefined;
  }
}

/** Marks a statement by its own list of parameters, which stays the same from where it is made to where the runner sends it. */
export function markParameters(parameters: unknown[], marked: Marked): void {
  Mark.set(parameters, marked);
}

/** The mark of a statement; `undefined` for one that capture has to look at, whatever an application gives as its parameters. */
export function markOf(parameters: unknown): Marked | undefined {
  return typeof parameters === "object" && parameters !== null ? Mark.of(parameters) : undefined;
}
