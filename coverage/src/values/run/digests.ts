import type { TableReader } from "@lockstep/core";
import { mysqlReader, postgresReader } from "@lockstep/outbox";
import { compareTable } from "@lockstep/sync";

/** What verify makes of one row: `left-out` when it doesn't compare the column `v`. */
export type DigestOf = (id: string) => "equal" | "different" | "left-out";

/** A reader of the source at `url`. */
export function sourceReader(url: string): TableReader {
  return url.startsWith("postgres") ? postgresReader(url, "values") : mysqlReader(url);
}

/** Compares a table as verify does, each side inside its own database. */
export async function digestsOf(
  source: TableReader,
  target: TableReader,
  namespace: string,
  name: string,
): Promise<DigestOf> {
  const table = await compareTable(
    { source, target },
    { engine: source.engine, namespace, name, columns: [] },
  );
  if (table?.target === undefined) return () => "different";
  if (table.leftOut.some(({ column }) => column === "v")) return () => "left-out";
  const [here, there] = await Promise.all([table.source.list({}), table.target.list({})]);
  return (id) => {
    const key = JSON.stringify([id]);
    const hash = here.get(key)?.hash;
    return hash !== undefined && hash === there.get(key)?.hash ? "equal" : "different";
  };
}
