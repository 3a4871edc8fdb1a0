import type { RunnerInternals, StructuredResult } from "./typeorm-internals.js";

/** A statement with parameters. */
interface Parameterized {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/** The parts of node-postgres that sending two statements in one message needs. The protocol runs what comes before one Sync as one transaction. */
interface PgConnection {
  parse(statement: { text: string; name: string }): void;
  bind(values: { values: readonly unknown[] }): void;
  execute(portal: object): void;
  sync(): void;
}

interface PgQuery {
  requiresPreparation(): boolean;
  prepare(connection: PgConnection): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: PgConnection): void;
  handleError(error: Error, connection: PgConnection): void;
  once(event: "end", listener: (results: unknown) => void): unknown;
  /** Set by the client where queries have a time limit. */
  readonly callback?: (error: Error) => void;
}

interface PgClient {
  readonly connection?: Partial<PgConnection>;
  readonly constructor: { readonly Query?: new (config: { text: string; values: unknown[] }) => PgQuery };
  query: (...given: unknown[]) => unknown;
}

/** What has become of the two: the first one's result, and whether the second ran with it; or the error, and whether it is the second one's. */
export type SentTogether =
  | { readonly result: StructuredResult; readonly secondRan: boolean }
  | { readonly error: unknown; readonly inSecond: boolean };

/**
 * Sends a statement with another one behind it, in one message and one transaction: both happen or neither. The first goes through the
 * runner as always, so that TypeORM's log and subscribers see it; only where the driver is about to send it, it becomes a query of two.
 * `secondRan` is false where something between here and the driver made a query of its own out of it.
 */
export async function sendTogether(
  runner: RunnerInternals,
  send: (parameters: unknown[]) => Promise<StructuredResult>,
  first: Parameterized,
  second: Parameterized,
): Promise<SentTogether> {
  const client = (await runner.connect()) as PgClient;
  const parameters = [...first.parameters];
  let both: TwoQueries | undefined;
  const query = client.query;
  const restore = hideBehind(client, (...given) => {
    if (given[1] !== parameters) return query.apply(client, given);
    restore();
    const joined = twoInOne(client, { sql: String(given[0]), parameters }, second);
    const sent = query.call(client, joined.query);
    if (sent !== joined.query) return sent;
    both = joined;
    return joined.done;
  });
  try {
    return { result: await send(parameters), secondRan: both?.query.completed === 2 };
  } catch (error) {
    // An error that comes after both have been done is TypeORM's or a subscriber's.
    return { error, inSecond: both?.query.completed === 1 };
  } finally {
    restore();
  }
}

/** Puts a function in front of the client's `query`; calling what it gives takes it away again. */
function hideBehind(client: PgClient, instead: PgClient["query"]): () => void {
  const own = Object.getOwnPropertyDescriptor(client, "query");
  client.query = instead;
  return () => {
    if (client.query !== instead) return;
    if (own) Object.defineProperty(client, "query", own);
    else Reflect.deleteProperty(client, "query");
  };
}

/** True where the driver is node-postgres' own, with its connection at hand. */
export async function canSendTogether(runner: RunnerInternals): Promise<boolean> {
  const { connection, constructor } = (await runner.connect()) as PgClient;
  const methods = ["parse", "bind", "execute", "sync"] as const;
  return (
    typeof constructor.Query?.prototype.prepare === "function" &&
    methods.every((method) => typeof connection?.[method] === "function")
  );
}

interface TwoQueries {
  /** `completed`: how many of the two have been done. */
  readonly query: PgQuery & { readonly completed: number };
  readonly done: Promise<unknown>;
}

function twoInOne(client: PgClient, first: Parameterized, second: Parameterized): TwoQueries {
  let settle: { resolve(result: unknown): void; reject(error: Error): void } | undefined;
  const done = new Promise<unknown>((resolve, reject) => (settle = { resolve, reject }));
  const Query = client.constructor.Query!;
  class TwoInOne extends Query {
    completed = 0;
    override requiresPreparation(): boolean {
      return true;
    }
    override prepare(connection: PgConnection): void {
      let executed = false;
      const joined = Object.create(connection) as PgConnection;
      joined.execute = (portal) => {
        executed = true;
        connection.execute(portal);
      };
      joined.sync = () => {
        if (executed) {
          connection.parse({ text: second.sql, name: "" });
          connection.bind({ values: second.parameters });
          connection.execute({});
        }
        connection.sync();
      };
      super.prepare(joined);
    }
    override handleDataRow(message: unknown): void {
      if (this.completed === 0) super.handleDataRow(message);
    }
    override handleCommandComplete(message: unknown, connection: PgConnection): void {
      if (this.completed++ === 0) super.handleCommandComplete(message, connection);
    }
    override handleError(error: Error): void {
      settle?.reject(error);
      this.callback?.(error);
    }
  }
  const both = new TwoInOne({ text: first.sql, values: [...first.parameters] });
  both.once("end", (results) => settle?.resolve(results));
  return { query: both, done };
}
