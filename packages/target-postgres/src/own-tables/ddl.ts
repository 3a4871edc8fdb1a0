/** Version of the tables below; `ensure` runs the statements when another one is found. */
export const ownTablesVersion = 5;

/** Names under which the rest of the package knows them. */
export const own = {
  identity: "lockstep.identity",
  checkpoint: "lockstep.checkpoint",
  letter: "lockstep.dead_letter",
  staging: "lockstep.staging",
  version: "lockstep.row_version",
  base: "lockstep.row_base",
  conflict: "lockstep.conflict",
} as const;

/** Letters in these states stand for a difference between source and target. Part of the indexes' definition. */
export const live = "('retrying', 'due', 'waiting', 'dead')";

/** Makes Lockstep's own tables. Every statement is harmless when it has run before. */
export const ownTables: readonly string[] = [
  "create schema if not exists lockstep",
  `create table if not exists ${own.identity} (
    id uuid primary key,
    version integer not null,
    only_one boolean not null default true unique check (only_one)
  )`,
  // "steps" counts steps of the lane: after a COMMIT whose reply was lost it says whether that step is in.
  `create table if not exists ${own.checkpoint} (
    source text not null,
    partition integer not null,
    position text not null,
    epoch bigint not null,
    steps bigint not null default 0,
    incarnation text not null,
    total bigint not null default 0,
    records bigint not null default 0,
    last_sync_at timestamptz(3),
    seeded boolean not null default false,
    staged_through text,
    paused boolean not null default false,
    primary key (source, partition)
  )`,
  `alter table ${own.checkpoint} add column if not exists restarts bigint not null default 0`,
  // The row's key may be longer than an index entry can be, so "row_hash" stands for (table, key).
  `create table if not exists ${own.letter} (
    id bigint generated always as identity primary key,
    source text not null,
    partition integer not null,
    table_name text not null,
    row_key text not null,
    row_hash text not null,
    op text not null,
    tick numeric(20) not null,
    n numeric(20) not null,
    ordinal bigint not null,
    schema_fingerprint text not null,
    image text,
    before_key text,
    state text not null,
    code text not null,
    about text,
    raw_error text not null,
    attempts integer not null,
    max_attempts integer not null,
    history jsonb not null,
    first_failed_at timestamptz(3) not null,
    last_failed_at timestamptz(3) not null,
    due_at timestamptz(3),
    waiting_for bigint,
    resolved_at timestamptz(3),
    resolved_by text,
    reason text
  )`,
  `alter table ${own.letter} add column if not exists version text`,
  // One live letter per row.
  `create unique index if not exists dead_letter_row on ${own.letter} (source, row_hash) where state in ${live}`,
  `create index if not exists dead_letter_lane on ${own.letter} (source, partition, state, due_at)`,
  `create index if not exists dead_letter_waiting on ${own.letter} (waiting_for) where state = 'waiting'`,
  `create index if not exists dead_letter_over on ${own.letter} (source, partition, resolved_at) where state not in ${live}`,
  `create index if not exists dead_letter_newest on ${own.letter} (last_failed_at desc, id desc)`,
  `create table if not exists ${own.staging} (
    source text not null,
    partition integer not null,
    n bigint not null,
    position text not null,
    line text not null,
    primary key (source, partition, n)
  )`,
  // Of rows of two-way tables: which writes a row holds (core's RowVersion). Triggers write it for writes of this database's own, lanes for
  // theirs. "stamp" 0: nothing yet, a row made to be locked. "deleted_at": the row is gone, and no late write of it counts.
  `create table if not exists ${own.version} (
    table_name text not null,
    row_key text not null,
    stamp bigint not null default 0,
    node text not null default '',
    seen text not null default '{}',
    came_from text,
    deleted_at timestamptz(3),
    primary key (table_name, row_key)
  )`,
  `create index if not exists row_version_deleted on ${own.version} (deleted_at) where deleted_at is not null`,
  // What Lockstep left in the rows of tables that have a conflict policy, as this database prints them; "image" is NULL where it left none.
  `create table if not exists ${own.base} (
    table_name text not null,
    row_hash text not null,
    row_key text not null,
    image text,
    decided text,
    deleted_at timestamptz(3),
    primary key (table_name, row_hash)
  )`,
  `create index if not exists row_base_deleted on ${own.base} (deleted_at) where deleted_at is not null`,
  `create table if not exists ${own.conflict} (
    id bigint generated always as identity primary key,
    source text not null,
    partition integer not null,
    table_name text not null,
    row_key text not null,
    position text not null,
    at timestamptz(3) not null,
    policy text not null,
    outcome text not null,
    source_image text,
    target_image text,
    result_image text
  )`,
  `create index if not exists conflict_lane on ${own.conflict} (source, partition, id)`,
];
