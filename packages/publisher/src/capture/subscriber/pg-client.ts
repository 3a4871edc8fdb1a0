// The parts of node-postgres that sending statements together needs, beyond its public types. The protocol runs what comes before one Sync as one
// transaction.

/** Its connection: one method for each message of the protocol, an event for each answer. */
export interface PgConnection {
  readonly stream: { cork(): void; uncork(): void; destroy(error?: Error): void };
  query(text: string): void;
  parse(statement: { text: string; name: string }): void;
  bind(values: { values: readonly unknown[] }): void;
  execute(portal: object): void;
  sync(): void;
  emit(event: string, ...given: unknown[]): boolean;
}

/** What a client sends and hears answers for. */
export interface PgQuery {
  requiresPreparation(): boolean;
  prepare(connection: PgConnection): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: PgConnection): void;
  handleError(error: Error, connection: PgConnection): void;
  once(event: "end", listener: (results: unknown) => void): unknown;
  /** Set by the client where queries have a time limit. */
  readonly callback?: (error: Error) => void;
}

/** A class of queries. */
export type PgQueryClass = new (config: { text: string; values: unknown[] }) => PgQuery;

/** What TypeORM gives for a PostgreSQL connection; of another driver, all of it may be missing. */
export interface PgClient {
  readonly connection?: Partial<PgConnection>;
  readonly constructor: { readonly Query?: PgQueryClass };
  /** Nothing is under way. */
  readonly readyForQuery?: boolean;
  readonly pipeline?: boolean;
  query: (...given: unknown[]) => unknown;
}

/** Puts a function in front of a method of one object; calling what it gives takes it away again. */
export function hideBehind<T extends object, K extends keyof T>(
  object: T,
  method: K,
  instead: T[K],
): () => void {
  const own = Object.getOwnPropertyDescriptor(object, method);
  object[method] = instead;
  return () => {
    if (object[method] !== instead) return;
    if (own) Object.defineProperty(object, method, own);
    else Reflect.deleteProperty(object, method);
  };
}
