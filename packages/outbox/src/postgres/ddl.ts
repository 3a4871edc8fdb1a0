import { bounded, triedAgain } from "./bounded.js";
import { formatVersion } from "./format-version.js";
import { flushFunctions } from "./flush-function.js";
import { keepsKeysFunctions } from "./keeps-keys.js";
import { roomFunction, tupleBytes } from "./packed.js";
import type { OutboxNames } from "./outbox-names.js";
import { quoteText } from "./quote.js";
import { dropTableFunctions, tableFunctions } from "./table-functions.js";
import { shapeFunctions } from "./shape-function.js";
import { dropSnapshotFunctions, snapshotFunctions } from "./snapshot-function.js";
import { tickFunctions } from "./tick-function.js";
import { dropSharedFunctions, sharedTriggerFunctions } from "./trigger/shared-functions.js";
import { removeTriggers } from "./trigger/remove-triggers.js";

/** One statement that makes everything and can run at any time, also from several processes at once. */
export function createStatement(names: OutboxNames): string {
  const { schema, s } = names;
  return `do $lockstep$ begin
perform pg_advisory_xact_lock(hashtextextended(${quoteText(`lockstep ddl ${schema}`)}, 0));
-- Another process has made them while this one waited, and works with them by now: its relay and this would wait for each other's locks.
if to_regclass(${quoteText(`${s}.state`)}) is not null then
  if exists (select from ${s}.state where format >= ${formatVersion}) then return; end if;
end if;
${triedAgain([
  `create schema if not exists ${s};`,
  tables(names),
  changedTables(names),
  tableFunctions(names),
  shapeFunctions(s),
  keepsKeysFunctions(s),
  tickFunctions(names),
  flushFunctions(names),
  snapshotFunctions(names),
  sharedTriggerFunctions(names),
  `insert into ${s}.state (format) select ${formatVersion} where not exists (select from ${s}.state);
update ${s}.state set format = ${formatVersion};`,
])}
end $lockstep$`;
}

/** Statements that remove what {@link createStatement} made, and the schema when nothing else is in it. */
export function dropStatements({ schema, s, outbox }: OutboxNames): string[] {
  return [
    // First: without the outbox every write that fires one would fail.
    removeTriggers(schema),
    bounded([
      ...dropSharedFunctions(s),
      dropTableFunctions(schema),
      dropSnapshotFunctions(s),
      `drop function if exists ${s}.make_table_functions(${s}.table_schema, text);`,
      `drop function if exists ${s}.flush(jsonb, text, text), ${s}.flush_pinned(jsonb, text, text),
  ${s}.flush_for(jsonb, text, text, text), ${s}.flush_for_pinned(jsonb, text, text, text),
  ${s}.flush_row(text, text, jsonb, text, text), ${s}.flush_row_pinned(text, text, jsonb, text, text),
  ${s}.describe(jsonb), ${s}.shape_named(text), ${s}.make_shape(oid, text), ${s}.catalog_version(oid),
  ${s}.columns_version(oid), ${s}.unchanged(oid, text), ${s}.as_planned(text, oid, text), ${s}.keeps_keys(oid), ${s}.keeps_as_planned(oid), ${s}.unread(), ${s}.cut(), ${s}.captured(), ${s}.pack_bytes();`,
      `drop table if exists ${outbox}, ${s}.tick, ${s}.table_schema, ${s}.target, ${s}.state, ${s}.job, ${s}.schedule;`,
      `drop sequence if exists ${s}.outbox_seq;`,
      `begin drop schema if exists ${s} restrict; exception when dependent_objects_still_exist then null; end;`,
    ]),
  ];
}

function tables({ s, outbox }: OutboxNames): string {
  return `-- CACHE 1: a session that drew ids in advance would give late rows early ids, and the order by last id would be wrong.
create sequence if not exists ${s}.outbox_seq cache 1;
create table if not exists ${outbox} (
  xid xid8 not null default pg_current_xact_id(),
  seq bigint not null default nextval(${quoteText(`${s}.outbox_seq`)}),
  at timestamptz not null default clock_timestamp(),
  op "char" not null,
  fingerprint text not null,
  key text not null,
  image text,
  before text,
  traceparent text,
  origin text,
  -- Targets that the row is for, by id, with spaces between; null: all.
  audience text,
  -- Of a row of a two-way table: filled by a trigger that two-way nodes have.
  version text,
  primary key (xid, seq)
);
create table if not exists ${s}.tick (
  n bigint primary key,
  snapshot pg_snapshot not null,
  at timestamptz not null default clock_timestamp(),
  events bigint not null,
  total bigint not null
);
-- No unique key: two transactions that meet a new schema at once must not wait for each other.
create table if not exists ${s}.table_schema (
  fingerprint text not null,
  rel oid not null,
  version text not null,
  definition jsonb not null,
  -- Statements that read rows of the table, made once per version of it: see make_shape.
  image text not null,
  images text not null,
  keys text not null,
  befores text not null,
  -- What triggers write: texts of the columns and of the key of a row named t, and the condition that t is the row that is named r.
  cells text not null,
  key_cells text not null,
  key_same text not null,
  seen_at timestamptz not null default clock_timestamp()
);
create table if not exists ${s}.target (
  id uuid not null,
  partition integer not null,
  name text not null,
  address text not null,
  tick bigint not null,
  n numeric(20) not null,
  state text not null default 'following',
  seen_at timestamptz not null default clock_timestamp(),
  primary key (id, partition)
);
create table if not exists ${s}.state (
  format integer not null,
  incarnation uuid not null default gen_random_uuid(),
  pruned_through bigint not null default 0,
  pruned_total bigint not null default 0,
  partitions integer,
  -- How the source is captured, and while it changes over, how it was before.
  capture text,
  capture_from text,
  -- With capture_from: whose log is read (OutboxHandOver), and where that one ends.
  capture_stage text,
  capture_end text,
  -- The history that positions belong to, when they go on behind a log's that was one of its own.
  history uuid
);
create table if not exists ${s}.job (
  id bigint generated always as identity primary key,
  kind text not null,
  options text not null,
  progress text not null,
  state text not null default 'running',
  -- Counts claims: a process that was thought to be gone finds another number.
  owner bigint not null default 0,
  started_at timestamptz not null default clock_timestamp(),
  moved_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  code text
);
create table if not exists ${s}.schedule (
  name text primary key,
  plan text not null,
  -- ms since 1970, by the consumers' clocks, as cron times are.
  covered_at bigint not null,
  paused_by text,
  missed bigint not null default 0
);`;
}

/**
 * What tables of an older format lack. Each is looked for first, as a statement that finds nothing to do locks its table all the same; what the application's
 * writes use comes last, so that nothing is waited for behind its lock.
 */
function changedTables({ s, outbox }: OutboxNames): string {
  const [state, job, shapes] = [`${s}.state`, `${s}.job`, `${s}.table_schema`];
  const added = (table: string, columns: Readonly<Record<string, string>>): string =>
    Object.entries(columns)
      .map(([name, type]) =>
        unless(hasColumn(table, name), `alter table ${table} add column ${name} ${type};`),
      )
      .join("\n");
  const indexed = (name: string, create: string): string =>
    unless(`to_regclass(${quoteText(`${s}.${name}`)}) is not null`, `${create};`);
  const kept = tupleBytes.replaceAll(" ", "");
  return `${added(state, { partitions: "integer", capture: "text", capture_from: "text", capture_stage: "text", capture_end: "text", history: "uuid" })}
-- Who asked for it, and of a schedule's which and when it was due (ms since 1970).
${added(job, { asked_by: "text", schedule: "text", due_at: "bigint" })}
-- Of several consumers that think so at once, one runs what is due.
${indexed("job_due", `create unique index job_due on ${job} (schedule, due_at)`)}
-- One of a kind at a time, whatever processes think they hold.
${indexed("job_live", `create unique index job_live on ${job} (kind) where state in ('running', 'paused')`)}
-- Of format 1. Its rows stay, as events name their fingerprints; the next use of a table makes a new one.
${unless(
  hasColumn(shapes, "cells"),
  `alter table ${shapes} add column cells text not null default '', add column key_cells text not null default '',
    add column key_same text not null default '';
  update ${shapes} set version = '';`,
)}
${indexed("table_schema_version", `create index table_schema_version on ${shapes} (rel, version)`)}
${unless(
  `exists (select from pg_catalog.pg_class where oid = ${quoteText(outbox)}::regclass and ${quoteText(kept)} = any (reloptions))`,
  `alter table ${outbox} set (${tupleBytes});`,
)}
${added(outbox, { audience: "text", version: "text" })}
${roomFunction(s, outbox)}`;
}

function unless(condition: string, statements: string): string {
  return `if (${condition}) is not true then
  ${statements}
end if;`;
}

function hasColumn(table: string, name: string): string {
  return `exists (select from pg_catalog.pg_attribute where attrelid = ${quoteText(table)}::regclass and attname = ${quoteText(name)})`;
}
