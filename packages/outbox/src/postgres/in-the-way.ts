import type { RowNote, RunStatement } from "@lockstep/core";
import { installing } from "./bounded.js";
import { quoteName, quoteText } from "./quote.js";

/** What an installation waited for: the locks of these tables (of none: of any), or the end of every transaction of the server that has written. */
export type WaitedFor = readonly RowNote["table"][] | "writers";

const maxNamed = 5;

/** What lies below is the server's own. */
const firstUserOid = 16_384;

/** The transactions that stand in its way, the oldest first, a phrase each: who they are, never what they do. */
export async function transactionsInTheWay(run: RunStatement, waitedFor: WaitedFor): Promise<string[]> {
  const found = await run(`select l.pid::text as pid, a.application_name::text as name,
       nullif(coalesce(a.datname, p.database), current_database())::text as elsewhere, p.transaction::text as prepared,
       floor(extract(epoch from clock_timestamp() - min(coalesce(a.xact_start, p.prepared))))::text as seconds
  from pg_locks l left join pg_stat_activity a on a.pid = l.pid
       left join pg_prepared_xacts p on l.pid is null and p.transaction::text = split_part(l.virtualtransaction, '/', 2)
 where l.granted and l.pid is distinct from pg_backend_pid() and (${conditionOf(waitedFor)}
       or l.locktype = 'advisory' and l.objsubid = 1 and (l.classid::bigint << 32 | l.objid::bigint) = ${installing})
 group by 1, 2, 3, 4 order by min(coalesce(a.xact_start, p.prepared)) limit ${maxNamed}`);
  return found.map(phraseOf);
}

// Locks are seen by every role, where the sessions of others aren't.
function conditionOf(waitedFor: WaitedFor): string {
  if (waitedFor === "writers") return "l.locktype = 'transactionid' and l.mode = 'ExclusiveLock'";
  const ofTable = `l.locktype = 'relation' and l.database = (select oid from pg_database where datname = current_database())`;
  if (waitedFor.length === 0) return `${ofTable} and l.relation >= ${firstUserOid}`;
  const names = waitedFor.map(({ namespace, name }) =>
    quoteText(`${quoteName(namespace)}.${quoteName(name)}`),
  );
  return `${ofTable} and l.relation in (select oid from (select to_regclass(n)::oid as oid from unnest(array[${names.join(", ")}]::text[]) n) t
         union select p.relid from unnest(array[${names.join(", ")}]::text[]) n, pg_partition_tree(to_regclass(n)) p)`;
}

function phraseOf({ pid, name, elsewhere, prepared, seconds }: Readonly<Record<string, unknown>>): string {
  const said = [
    name ? JSON.stringify(name) : undefined,
    elsewhere ? `in database ${String(elsewhere)}` : undefined,
    seconds === null ? "of a role whose sessions can't be seen here" : `open for ${String(seconds)} s`,
  ].filter((part) => part !== undefined);
  const who = pid === null ? `prepared transaction ${String(prepared ?? "")}` : `pid ${String(pid)}`;
  return `${who} (${said.join(", ")})`;
}
