import { hideBehind, type PgClient, type PgConnection } from "./pg-client.js";
import type { RunnerInternals } from "./typeorm-internals.js";

/** As TypeORM writes it. */
const begin = "START TRANSACTION";

/**
 * Sends START TRANSACTION, on PostgreSQL, in one message with the statement that comes next: a round trip less. TypeORM, its log and its subscribers see
 * it at once; what holds it back is the driver's connection, so that nothing can be sent past it, by whatever way. In the next turn of the event loop it
 * is sent by itself: `now()` is the time of the transaction's beginning.
 *
 * **Maintained invariant**: no statement runs without the START that was promised before it. A START that the server refuses ends the connection.
 */
export async function holdBegin(runner: RunnerInternals, send: () => Promise<unknown>): Promise<unknown> {
  const client = (await runner.connect()) as PgClient;
  const { query } = client;
  const restore = hideBehind(client, "query", (...given) => {
    if (given[0] !== begin) return query.apply(client, given);
    restore();
    return canHold(client) ? hold(client) : query.apply(client, given);
  });
  try {
    return await send();
  } finally {
    restore();
  }
}

/** Node-postgres' own client, with its connection at hand, and with nothing under way that START would have to wait for. */
function canHold(client: PgClient): client is PgClient & { readonly connection: PgConnection } {
  const { connection, readyForQuery, pipeline } = client;
  const methods = ["query", "parse", "bind", "execute", "sync", "emit"] as const;
  return (
    readyForQuery === true &&
    pipeline !== true &&
    methods.every((method) => typeof connection?.[method] === "function")
  );
}

function hold(client: PgClient & { readonly connection: PgConnection }): Promise<unknown> {
  const { connection } = client;
  const { query, parse, bind } = connection;
  const comesFirst = (): void => {
    clearImmediate(alone);
    // The last one first: taken away in another order they would make a slow object of the connection, for good.
    for (const restore of restores.toReversed()) restore();
  };
  /** What has parameters: START stands before it in the same message; where it fails, the server skips the rest. */
  const joined = (): void => {
    comesFirst();
    sendStart(connection);
    dropAnswer(connection, "commandComplete", () => undefined);
  };
  const restores = [
    hideBehind(connection, "parse", (statement) => {
      joined();
      parse.call(connection, statement);
    }),
    hideBehind(connection, "bind", (values) => {
      joined();
      bind.call(connection, values);
    }),
    // The text of a query without parameters is a message of its own, which would run after a START that failed: it waits for the answer.
    hideBehind(connection, "query", (text) => {
      comesFirst();
      connection.stream.cork();
      sendStart(connection);
      connection.sync();
      connection.stream.uncork();
      dropAnswer(connection, "readyForQuery", () => query.call(connection, text));
    }),
  ];
  const alone = setImmediate(() => {
    comesFirst();
    client.query(begin, (error: Error | null) => error && connection.stream.destroy(error));
  });
  return Promise.resolve({ command: "START", rowCount: null, oid: null, rows: [], fields: [] });
}

function sendStart(connection: PgConnection): void {
  connection.parse({ text: begin, name: "" });
  connection.bind({ values: [] });
  connection.execute({});
}

/** Keeps the server's answer to START, up to the message named `last`, from the query that the client is sending. */
function dropAnswer(connection: PgConnection, last: string, then: () => void): void {
  const { emit } = connection;
  const restore = hideBehind(connection, "emit", (name, ...given) => {
    if (name === last) {
      restore();
      then();
      return true;
    }
    if (name === "parseComplete" || name === "bindComplete" || name === "commandComplete") return true;
    const heard = emit.call(connection, name, ...given);
    // The application takes a transaction for open that is none: nothing more may be sent here.
    if (name === "errorMessage") {
      restore();
      connection.stream.destroy();
    }
    return heard;
  });
}
