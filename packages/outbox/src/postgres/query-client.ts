import type pg from "pg";

type Driver = typeof pg;
type Query = pg.QueryConfig & { readonly query_timeout?: number };

/**
 * pg's client with promises and time-outs of its own. pg's assign function literals to a property of the query, and V8 makes such a function among
 * its old objects: the rows that it leads to then outlive every collection of the young ones, however short they were needed.
 *
 * After a time-out the connection is in the middle of an answer: whoever asked throws it away.
 */
export function queryClient({ Client }: Driver, timeoutMs: number): typeof pg.Client {
  return class extends (Client as new (config?: string | pg.ClientConfig) => pg.Client) {
    override query(...given: unknown[]): never {
      const send = super.query.bind(this) as (...all: unknown[]) => never;
      const [query, values] = given;
      // pg's own objects (copy, pipelines) and callers with a callback: as it does it.
      if (given.some((one) => typeof one === "function") || isSubmittable(query)) return send(...given);
      const ownMs = typeof query === "object" ? (query as Query).query_timeout : undefined;
      return inTime(ownMs ?? timeoutMs, (done) => send(query, values, done)) as never;
    }
  } as unknown as typeof pg.Client;
}

function isSubmittable(query: unknown): boolean {
  return typeof query === "object" && query !== null && "submit" in query;
}

type Done = (error: Error | null, result: unknown) => void;

function inTime(limitMs: number, start: (done: Done) => void): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const tooLate = (): void => reject(new Error("Query read timeout"));
    const timer = limitMs > 0 ? setTimeout(tooLate, limitMs) : undefined;
    start((error, result) => {
      clearTimeout(timer);
      if (error) reject(error);
      else resolve(result);
    });
  });
}
