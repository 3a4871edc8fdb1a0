import type { CapturePlan } from "@lockstep/core";
import { bounded, quoteName, quoteText } from "@lockstep/outbox/postgres";
import { narrowAgain, widenStatement } from "./replica-identity.js";
import { stateTables } from "../slot/log-state.js";
import type { SourceFacts, TableFacts } from "./facts.js";
import { findingsOf } from "./findings.js";
import type { CaptureNames } from "./names.js";

/** From here on generated columns can be published. */
const generatedVersion = 180_000;
/** From here on a slot can follow a fail-over to a standby. */
const failoverVersion = 170_000;

/** What the source lacks, and the statements that bring it in order. Pure. */
export function planCapture(facts: SourceFacts, names: CaptureNames, schema: string): CapturePlan {
  const findings = findingsOf(facts, names);
  const isWidening = facts.tables.some(({ widen }) => widen.length > 0);
  const statements = [
    ...(facts.isInstalled && !isWidening ? [] : [bounded(stateTables(quoteName(schema)))]),
    ...facts.tables.flatMap(({ widen }) => widen).map((table) => widenStatement(table, quoteName(schema))),
    ...publicationStatements(facts, names),
    // The log names columns; what a table's key was is known from here when it is read after the table was altered.
    ...describeStatements(facts, schema),
    // Last: a slot can't read what was written before a publication that it sends was made.
    ...(facts.isInstalled ? [] : [slotStatement(facts, names, schema)]),
  ];
  // What is refused has to be mended first: a part of the capture would be worse than none.
  const isRefused = findings.some(({ problem }) => problem === "refused");
  return { findings, statements: findings.length === 0 || isRefused ? [] : statements };
}

function publicationStatements(facts: SourceFacts, names: CaptureNames): string[] {
  const { version, publications, narrowed, unpublishedOwn } = facts;
  const generated = version >= generatedVersion ? ", publish_generated_columns = stored" : "";
  const options = {
    tables: `publish = 'insert, update, delete, truncate', publish_via_partition_root = true${generated}`,
    own: "publish = 'insert, update'",
  };
  return [
    ...publish(
      names.tables,
      publications,
      namesOf(facts, ({ isPublished }) => !isPublished),
      options.tables,
    ),
    ...publish(names.own, publications, unpublishedOwn, options.own),
    ...(["tables", "own"] as const)
      .filter((which) => narrowed.includes(names[which]))
      .map((which) => bounded([`alter publication ${quoteName(names[which])} set (${options[which]});`])),
    ...namesOf(facts, ({ isNarrowed }) => isNarrowed).map((table) => publishWhole(names.tables, table)),
  ];
}

function namesOf({ tables }: SourceFacts, is: (table: TableFacts) => boolean): string[] {
  return tables.filter(is).map(({ namespace, name }) => `${quoteName(namespace)}.${quoteName(name)}`);
}

function publishWhole(publication: string, table: string): string {
  const change = (how: string): string =>
    `alter publication ${quoteName(publication)} ${how} table ${table};`;
  return bounded([change("drop"), change("add")]);
}

function describeStatements(facts: SourceFacts, schema: string): string[] {
  const names = namesOf(facts, ({ isPublished }) => !isPublished);
  if (names.length === 0) return [];
  return [
    `select fingerprint from ${quoteName(schema)}.describe(${quoteText(JSON.stringify(names))}::jsonb)`,
  ];
}

function publish(
  name: string,
  known: readonly string[],
  tables: readonly string[],
  options: string,
): string[] {
  if (known.includes(name)) {
    return tables.length === 0
      ? []
      : [bounded([`alter publication ${quoteName(name)} add table ${tables.join(", ")};`])];
  }
  const content = tables.length === 0 ? "" : ` for table ${tables.join(", ")}`;
  return [
    bounded([
      `if not exists (select from pg_publication where pubname = ${quoteText(name)}) then
  create publication ${quoteName(name)}${content} with (${options});
end if;`,
    ]),
  ];
}

/** What makes the slot: it waits until every transaction of the server that has written by then is over. */
export const makesSlot = "pg_create_logical_replication_slot";

/** How long it waits for one of them, ms: nobody queues behind it. */
const writersMs = 30_000;

/** One statement makes the slot and its record: neither is there without the other. */
function slotStatement({ version }: SourceFacts, names: CaptureNames, schema: string): string {
  const failover = version >= failoverVersion ? ", failover => true" : "";
  const wal = `${quoteName(schema)}.wal`;
  const slot = quoteText(names.slot);
  return bounded(
    [
      `if not exists (select from ${wal}) then
  perform pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = ${slot};
  -- By a cursor: making a slot decodes what others change in the catalog meanwhile, and the server forgets then whose the tables are that a
  -- statement around it holds (XX000, "is not owned by resource owner").
  for made in select s.slot_name, s.lsn - '0/0' as lsn from ${makesSlot}(${slot}, 'pgoutput'${failover}) s loop
    insert into ${wal} (slot, publications, confirmed, pruned_tick, markers)
    values (made.slot_name, array[${quoteText(names.tables)}, ${quoteText(names.own)}], made.lsn, made.lsn,
            jsonb_build_array(jsonb_build_array(made.lsn::text, 0, ${Number.MAX_SAFE_INTEGER})));
  end loop;
end if;`,
    ],
    { declare: "made record; ", lockMs: writersMs },
  );
}

/** Statements that take everything out of the source again. Pure. */
export function removeCapture(names: CaptureNames, schema: string): string[] {
  const s = quoteName(schema);
  const slot = quoteText(names.slot);
  return [
    bounded([narrowAgain(s), `drop table if exists ${s}.wal, ${s}.wal_schema, ${s}.wal_widened;`], {
      declare: "widened record; ",
    }),
    // A reader that is still there has to go first; it finds no record to begin again from.
    `do $lockstep$ begin
for i in 1..200 loop
  perform pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = ${slot} and active;
  begin
    perform pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = ${slot};
    return;
  exception when object_in_use then perform pg_sleep(0.05);
  end;
end loop;
raise exception 'the replication slot is still in use';
end $lockstep$`,
    `drop publication if exists ${quoteName(names.tables)}`,
    `drop publication if exists ${quoteName(names.own)}`,
  ];
}
