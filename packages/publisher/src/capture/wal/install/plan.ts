import { tableId, type CaptureFinding, type CapturePlan } from "@lockstep/core";
import { bounded, quoteName, quoteText } from "@lockstep/outbox/postgres";
import { stateTables } from "../slot/log-state.js";
import type { SourceFacts, TableFacts } from "./facts.js";
import type { CaptureNames } from "./names.js";

const oldestVersion = 140_000;
/** From here on generated columns can be published. */
const generatedVersion = 180_000;
/** From here on a slot can follow a fail-over to a standby. */
const failoverVersion = 170_000;

/** What the source lacks, and the statements that bring it in order. Pure. */
export function planCapture(facts: SourceFacts, names: CaptureNames, schema: string): CapturePlan {
  const findings = [
    ...serverFindings(facts),
    ...slotFindings(facts, names),
    ...facts.tables.flatMap(tableFindings),
  ];
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

const refused = (message: string): CaptureFinding => ({ problem: "refused", message });
const missing = (message: string): CaptureFinding => ({ problem: "missing", message });

function serverFindings({
  version,
  walLevel,
  mayReplicate,
  mayCreate,
  role,
  publications,
}: SourceFacts): CaptureFinding[] {
  const findings: CaptureFinding[] = [];
  if (version < oldestVersion)
    findings.push(refused("capture by the write-ahead log needs PostgreSQL 14 or newer"));
  if (walLevel !== "logical") {
    findings.push(refused(`wal_level is ${walLevel}: set wal_level = logical and restart the server`));
  }
  if (!mayReplicate)
    findings.push(refused(`the role may not replicate: alter role ${quoteName(role)} replication`));
  if (!mayCreate && publications.length < 2) {
    findings.push(refused("the role may not make publications: grant create on the database to it"));
  }
  return findings;
}

function slotFindings(
  { isInstalled, slot, publications, unpublishedOwn }: SourceFacts,
  names: CaptureNames,
): CaptureFinding[] {
  const gone = "verify the targets, remove the capture, install it anew and seed the targets again";
  const findings: CaptureFinding[] = [];
  if (!isInstalled) findings.push(missing("there is no replication slot yet"));
  else if (slot !== "ours")
    findings.push(refused(`the replication slot ${names.slot} is gone or invalidated: ${gone}`));
  else if (publications.length < 2) findings.push(refused(`a publication of the capture is gone: ${gone}`));
  else if (unpublishedOwn.length > 0) findings.push(missing(`not published: ${unpublishedOwn.join(", ")}`));
  return findings;
}

function tableFindings(table: TableFacts): CaptureFinding[] {
  const id = tableId(table);
  const about = (problem: CaptureFinding["problem"], message: string): CaptureFinding => ({
    table: id,
    problem,
    message,
  });
  if (!table.exists) return [about("refused", `${id} does not exist`)];
  if (!table.hasKey) {
    return [
      about(
        "refused",
        `${id} has no primary key: give it one, or leave it out (published, the server would refuse to update it)`,
      ),
    ];
  }
  const findings: CaptureFinding[] = [];
  if (table.widen.length > 0) {
    const what = table.widen.map((name) => `alter table ${name} replica identity full`).join("; ");
    findings.push(
      table.isOwner
        ? about(
            "missing",
            `${id} doesn't log whole old rows: large values that an update leaves as they are would be unknown`,
          )
        : about("refused", `${id} belongs to another role, which must run: ${what}`),
    );
  }
  if (!table.isPublished) {
    const finding = table.isOwner
      ? about("missing", `${id} is not published`)
      : about("refused", `${id} belongs to another role, which must publish it`);
    findings.push({ ...finding, isBare: true });
  }
  return findings;
}

function publicationStatements(facts: SourceFacts, names: CaptureNames): string[] {
  const { version, publications, unpublishedOwn } = facts;
  const tables = facts.tables
    .filter(({ isPublished }) => !isPublished)
    .map(({ namespace, name }) => `${quoteName(namespace)}.${quoteName(name)}`);
  const generated = version >= generatedVersion ? ", publish_generated_columns = stored" : "";
  return [
    ...publish(names.tables, publications, tables, `publish_via_partition_root = true${generated}`),
    ...publish(names.own, publications, unpublishedOwn, "publish = 'insert, update'"),
  ];
}

function describeStatements({ tables }: SourceFacts, schema: string): string[] {
  const names = tables
    .filter(({ isPublished }) => !isPublished)
    .map(({ namespace, name }) => `${quoteName(namespace)}.${quoteName(name)}`);
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

/** Remembers whose replica identity was changed, with the change, so that removing can take it back whatever comes of the rest. */
function widenStatement(table: string, s: string): string {
  return bounded([
    `alter table ${table} replica identity full;`,
    `insert into ${s}.wal_widened values (${quoteText(table)}) on conflict do nothing;`,
  ]);
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
  insert into ${wal} (slot, publications, confirmed, pruned_tick, markers)
  select s.slot_name, array[${quoteText(names.tables)}, ${quoteText(names.own)}], s.lsn - '0/0', s.lsn - '0/0',
         jsonb_build_array(jsonb_build_array((s.lsn - '0/0')::text, 0, ${Number.MAX_SAFE_INTEGER}))
    from ${makesSlot}(${slot}, 'pgoutput'${failover}) s;
end if;`,
    ],
    { lockMs: writersMs },
  );
}

/** Statements that take everything out of the source again. Pure. */
export function removeCapture(names: CaptureNames, schema: string): string[] {
  const s = quoteName(schema);
  const slot = quoteText(names.slot);
  return [
    bounded(
      [
        `if to_regclass(${quoteText(`${s}.wal_widened`)}) is not null then
  for widened in execute ${quoteText(`select name from ${s}.wal_widened`)} loop
    if to_regclass(widened) is not null then execute format('alter table %s replica identity default', widened); end if;
  end loop;
end if;
drop table if exists ${s}.wal, ${s}.wal_schema, ${s}.wal_widened;`,
      ],
      { declare: "widened text; " },
    ),
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
