import { formatVersion } from "./format-version.js";
import { flushFunctions } from "./flush-function.js";
import { tupleBytes } from "./packed.js";
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
create schema if not exists ${s};
${tables(names)}
${tableFunctions(names)}
${shapeFunctions(s)}
${tickFunctions(names)}
${flushFunctions(names)}
${snapshotFunctions(names)}
${sharedTriggerFunctions(names)}
insert into ${s}.state (format) select ${formatVersion} where not exists (select from ${s}.state);
update ${s}.state set format = ${formatVersion};
end $lockstep$`;
}

/** Statements that remove what {@link createStatement} made, and the schema when nothing else is in it. */
export function dropStatements({ schema, s, outbox }: OutboxNames): string[] {
  return [
    // First: without the outbox every write that fires one would fail.
    removeTriggers(schema),
    ...dropSharedFunctions(s),
    dropTableFunctions(schema),
    dropSnapshotFunctions(s),
    `drop function if exists ${s}.make_table_functions(${s}.table_schema, text)`,
    `drop function if exists ${s}.flush(jsonb, text, text), ${s}.flush_pinned(jsonb, text, text),
  ${s}.flush_for(jsonb, text, text, text), ${s}.flush_for_pinned(jsonb, text, text, text),
  ${s}.flush_row(text, text, jsonb, text, text), ${s}.flush_row_pinned(text, text, jsonb, text, text),
  ${s}.describe(jsonb), ${s}.shape_named(text), ${s}.make_shape(oid, text), ${s}.catalog_version(oid),
  ${s}.columns_version(oid), ${s}.unchanged(oid, text), ${s}.as_planned(text, oid, text), ${s}.unread(), ${s}.cut(), ${s}.captured()`,
    `drop table if exists ${outbox}, ${s}.tick, ${s}.table_schema, ${s}.target, ${s}.state, ${s}.job, ${s}.schedule`,
    `drop sequence if exists ${s}.outbox_seq`,
    `do $lockstep$ begin drop schema if exists ${s} restrict;
exception when dependent_objects_still_exist then null; end $lockstep$`,
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
alter table ${outbox} set (${tupleBytes});
if not exists (select from pg_catalog.pg_attribute where attrelid = ${quoteText(outbox)}::regclass and attname = 'audience') then
  alter table ${outbox} add column audience text;
end if;
if not exists (select from pg_catalog.pg_attribute where attrelid = ${quoteText(outbox)}::regclass and attname = 'version') then
  alter table ${outbox} add column version text;
end if;
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
-- Of format 1. Its rows stay, as events name their fingerprints; the next use of a table makes a new one.
if not exists (select from pg_catalog.pg_attribute where attrelid = ${quoteText(`${s}.table_schema`)}::regclass and attname = 'cells') then
  alter table ${s}.table_schema add column cells text not null default '', add column key_cells text not null default '',
    add column key_same text not null default '';
  update ${s}.table_schema set version = '';
end if;
create index if not exists table_schema_version on ${s}.table_schema (rel, version);
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
-- Who asked for it, and of a schedule's which and when it was due (ms since 1970).
alter table ${s}.job add column if not exists asked_by text, add column if not exists schedule text,
  add column if not exists due_at bigint;
-- Of several consumers that think so at once, one runs what is due.
create unique index if not exists job_due on ${s}.job (schedule, due_at);
-- One of a kind at a time, whatever processes think they hold.
create unique index if not exists job_live on ${s}.job (kind) where state in ('running', 'paused');
create table if not exists ${s}.schedule (
  name text primary key,
  plan text not null,
  -- ms since 1970, by the consumers' clocks, as cron times are.
  covered_at bigint not null,
  paused_by text,
  missed bigint not null default 0
);
alter table ${s}.state add column if not exists partitions integer, add column if not exists capture text,
  add column if not exists capture_from text, add column if not exists capture_stage text,
  add column if not exists capture_end text, add column if not exists history uuid;`;
}
