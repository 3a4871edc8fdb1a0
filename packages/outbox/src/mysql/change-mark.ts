import type { ChangeMark, RunStatement, WatchedColumn } from "@lockstep/core";
import { openTransactions } from "./open-transactions.js";
import { quoteName, quoteTable } from "./quote.js";

/**
 * Never above the highest value that is there: whatever clock and time zone the writers have, later writes are above it. Never above the clock: a single value of the
 * far future would hide all changes until then. The value is read first: a transaction that isn't in the list of those under way began after it.
 */
export async function mark(run: RunStatement, watched: WatchedColumn): Promise<ChangeMark> {
  const { schema, column, kind, overlapMs } = watched;
  const changed = schema.columns.find(({ name }) => name === column)!;
  const clock = "UNIX_TIMESTAMP(NOW(6))";
  const values = {
    timestamp: `TIMESTAMPADD(MICROSECOND, -${overlapMs * 1000}, LEAST(m.v, UTC_TIMESTAMP(6)))`,
    number: "m.v",
    "epoch-ms": `CAST(LEAST(m.v, ${clock} * 1000) - ${overlapMs} AS SIGNED)`,
    "epoch-s": `CAST(LEAST(m.v, ${clock}) - ${Math.ceil(overlapMs / 1000)} AS SIGNED)`,
  };
  const [row] =
    await run(`SELECT CAST(${values[kind]} AS CHAR) AS value, CAST(m.v AS CHAR) AS highest, CAST(${clock} * 1000 AS SIGNED) AS now
  FROM (SELECT MAX(t.${quoteName(changed.name)}) AS v FROM ${quoteTable(schema)} t) m`);
  const seen = await openTransactions(run);
  return {
    value: row!["value"] === null ? null : String(row!["value"]),
    highest: row!["highest"] === null ? null : String(row!["highest"]),
    ticket: seen?.ticket ?? "",
    at: Number(row!["now"]),
  };
}

/** Whether all of them are over; a transaction that hadn't written by then writes later values, as the clock is that of the statement. */
export async function ended(run: RunStatement, { ticket }: ChangeMark): Promise<"ended" | "open" | "unseen"> {
  if (ticket === "") return "unseen";
  if (ticket === "0") return "ended";
  const seen = await openTransactions(run, ticket);
  if (seen === undefined) return "unseen";
  return seen.open ? "open" : "ended";
}
