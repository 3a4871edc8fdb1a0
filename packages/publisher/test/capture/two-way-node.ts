import { parseVersion, type RowVersion, type RunStatement, type VersionTriggers } from "@lockstep/core";

/** The tables that a target makes among its own, as far as the log is asked for them. */
export const targetTables = {
  postgres: `create table lockstep.row_version (table_name text, row_key text, stamp bigint not null default 0, node text not null default '',
  seen text not null default '{}', came_from text, deleted_at timestamptz(3), primary key (table_name, row_key));
create table lockstep.checkpoint (source text primary key, position text)`,
  mysql: [
    `create table lockstep_row_version (table_name varchar(64), row_key varchar(600), stamp bigint not null default 0, node varchar(63) not null default '',
  seen varchar(4000) not null default '{}', came_from varchar(63), deleted_at bigint, primary key (table_name, row_key)) charset utf8mb4 collate utf8mb4_bin`,
    "create table lockstep_checkpoint (source varchar(255) primary key, position varchar(41))",
  ],
} as const;

/** Makes these tables all that are two-way at the node `n`. */
export async function makeTwoWay(
  triggers: VersionTriggers,
  run: RunStatement,
  namespace: string,
  ...names: readonly string[]
): Promise<void> {
  const { statements } = await triggers.plan(
    run,
    "n",
    names.map((name) => ({ namespace, name })),
  );
  for (const statement of statements) await run(statement);
}

/** What an event's version says, briefly. */
export function toldVersion(event: {
  readonly op: string;
  readonly key: string;
  readonly version?: string;
}): string {
  const version: RowVersion | undefined =
    event.version === undefined ? undefined : parseVersion(event.version);
  const from = version?.from === undefined ? "" : ` from ${version.from}`;
  return `${event.op} ${event.key} ${version === undefined ? "none" : `${version.node}@${version.stamp}`}${from}`;
}
