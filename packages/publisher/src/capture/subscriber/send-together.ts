import {
  hideBehind,
  type PgClient,
  type PgConnection,
  type PgQuery,
  type PgQueryClass,
} from "./pg-client.js";
import type { RunnerInternals, StructuredResult } from "./typeorm-internals.js";

/** A statement with parameters. */
interface Parameterized {
  readonly sql: string;
  readonly parameters: readonly unknown[];
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
  const restore = hideBehind(client, "query", (...given) => {
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
  const Both = bothOf(client.constructor.Query!);
  let both: InstanceType<typeof Both> | undefined;
  const done = new Promise<unknown>((resolve, reject) => {
    both = new Both({ text: first.sql, values: [...first.parameters] }, second, reject);
    both.once("end", resolve);
  });
  return { query: both!, done };
}

type TwoInOneClass = ReturnType<typeof makeBoth>;

// One class for each of node-postgres' own: made at each use, it would be a stranger to the compiler every time.
const made = new WeakMap<PgQueryClass, TwoInOneClass>();

function bothOf(Query: PgQueryClass): TwoInOneClass {
  const known = made.get(Query);
  if (known) return known;
  const Both = makeBoth(Query);
  made.set(Query, Both);
  return Both;
}

function makeBoth(Query: PgQueryClass) {
  return class TwoInOne extends Query {
    completed = 0;
    readonly second: Parameterized;
    readonly reject: (error: Error) => void;

    constructor(
      first: { text: string; values: unknown[] },
      second: Parameterized,
      reject: (error: Error) => void,
    ) {
      super(first);
      this.second = second;
      this.reject = reject;
    }
    override requiresPreparation(): boolean {
      return true;
    }
    override prepare(connection: PgConnection): void {
      let executed = false;
      const execute: PgConnection["execute"] = (portal) => {
        executed = true;
        connection.execute(portal);
      };
      const sync = (): void => {
        if (executed) {
          connection.parse({ text: this.second.sql, name: "" });
          connection.bind({ values: this.second.parameters });
          connection.execute({});
        }
        connection.sync();
      };
      // Not as literals: V8 makes a function that is assigned to a property among its old objects, and all that it leads to stays until the next full collection.
      super.prepare(Object.assign(Object.create(connection) as PgConnection, { execute, sync }));
    }
    override handleDataRow(message: unknown): void {
      if (this.completed === 0) super.handleDataRow(message);
    }
    override handleCommandComplete(message: unknown, connection: PgConnection): void {
      if (this.completed++ === 0) super.handleCommandComplete(message, connection);
    }
    override handleError(error: Error): void {
      this.reject(error);
      this.callback?.(error);
    }
  };
}
