/** What Lockstep does when an error of this code meets it. */
export type Recovery =
  /** The lane or relay waits with backoff and tries again; nothing is skipped. */
  | "retry"
  /** The row is set aside as a letter; the lane goes on. */
  | "dead-letter"
  /** The lane, relay or process stops and waits for a person. */
  | "halt"
  /** The caller's input is refused; nothing was changed. */
  | "refuse";

interface ErrorRule {
  readonly recovery: Recovery;
  /** What the user should do: an action or a command. */
  readonly hint: string;
}

/** Every code a user can meet. docs/errors.md is generated from this table. */
export const errorTable = {
  CONFIG_INVALID: { recovery: "refuse", hint: "Correct every line listed in the message." },
  DRIVER_UNSUPPORTED: { recovery: "refuse", hint: "Use a DataSource of type postgres, mysql or mariadb." },
  ENTITY_UNKNOWN: {
    recovery: "refuse",
    hint: "In the application name an entity of the DataSource, or a table it maps; elsewhere a table of the database.",
  },
  TABLE_WITHOUT_PRIMARY_KEY: {
    recovery: "refuse",
    hint: "Give the table a primary key, or leave its entity out.",
  },
  COLUMN_TYPE_UNSUPPORTED: {
    recovery: "refuse",
    hint: "Choose a type for the column in the target's mapping.",
  },
  TWO_WAY_HUB_CAPTURE: {
    recovery: "halt",
    hint: "The hub of several leaves must send on what it gets from each: capture it by trigger, wal or binlog.",
  },
  TWO_WAY_ROW_UNFIT: {
    recovery: "dead-letter",
    hint: "Two-way sync needs whole rows and keys that stay: set REPLICA IDENTITY FULL or binlog_row_image=FULL, then write the row once more; instead of changing a key delete the row and insert another.",
  },
  OUTBOX_MISSING: {
    recovery: "refuse",
    hint: 'Run the exported migration, or start with tables: "ensure". `outbox` names the same place in every process.',
  },
  OUTBOX_NAME: {
    recovery: "refuse",
    hint: "Give outbox.table the name that the outbox was made with, or one that no table has. To name it anew: let targets catch up, uninstall({ tables: true }), and seed them again.",
  },
  OUTBOX_WRITE_FAILED: {
    recovery: "refuse",
    hint: "The transaction was rolled back. Read the cause: rights on the outbox, disk, locks.",
  },
  CAPTURE_BLIND_WRITE: {
    recovery: "refuse",
    hint: "This write's rows can't be known here. Use save() or delete by key, or set bulkWrites.",
  },
  BARRIER_IN_TRANSACTION: {
    recovery: "refuse",
    hint: "Wait behind the transaction: no target sees what isn't committed, so inside of it the wait would never end.",
  },
  DUAL_WRITE_LATE: {
    recovery: "refuse",
    hint: "The primary has the write, and the target will get it by the stream. Don't repeat it; look at the target's lane if this goes on.",
  },
  READ_TOKEN_INVALID: {
    recovery: "refuse",
    hint: "Pass a token that reads.token() gave for the same source, unchanged, or none.",
  },
  READ_IN_TRANSACTION: {
    recovery: "refuse",
    hint: "Read with the transaction's own manager: no other connection sees what it hasn't committed.",
  },
  REPLICA_READ_ONLY: {
    recovery: "refuse",
    hint: "reads.read() is for reads: write, lock and open transactions on the primary's DataSource.",
  },
  REPLICA_UNSEEDED: {
    recovery: "refuse",
    hint: "Run `lockstep sync full --target <name>`: it copies what is older than the capture, or finds at once that there is nothing. Reads go to the primary until then.",
  },
  STALE_ENTITY: {
    recovery: "refuse",
    hint: "Nothing was written. Read the entity from the primary before you change it, or update(id, { … }) only what you change.",
  },
  CAPTURE_POISONED: {
    recovery: "refuse",
    hint: "An earlier capture error of this transaction was swallowed; the transaction was rolled back.",
  },
  CAPTURE_HIDDEN_COMMIT: {
    recovery: "refuse",
    hint: "Send BEGIN, COMMIT, ROLLBACK and savepoints (on MySQL also definitions) as statements of their own, not in one string with others.",
  },
  CAPTURE_SOURCE_SETTINGS: {
    recovery: "refuse",
    hint: "The source server's settings or rights don't allow this capture: the message names what to set.",
  },
  CAPTURE_LOG_UNREADABLE: {
    recovery: "halt",
    hint: "The database's log holds something that can't become exact rows: correct the setting named, then remove the targets and seed them again, or use another capture.",
  },
  CAPTURE_NOT_INSTALLED: {
    recovery: "refuse",
    hint: 'Run lockstep capture install (as a role that owns the tables), or start with tables: "ensure".',
  },
  CAPTURE_INSTALL_WAITS: {
    recovery: "retry",
    hint: "End these transactions, or let them end, and do the same again: what was done so far holds nothing up, and it goes on from there.",
  },
  CAPTURE_INCOMPLETE: {
    recovery: "retry",
    hint: "Triggers or publications of the source are missing, or older than their tables. Run lockstep capture install (or start the application again), then lockstep verify and repair.",
  },
  CAPTURE_CHANGED: {
    recovery: "refuse",
    hint: "The source is captured in another way. Set the same capture here, or change it for all with lockstep capture switch.",
  },
  CAPTURE_SWITCH_WAITS: {
    recovery: "retry",
    hint: "Every target must apply what the capture used so far has given: start the relay and the consumers, or remove a target that is gone. Then run the same command again: it goes on where it stopped.",
  },
  CAPTURE_SWITCH_BUSY: {
    recovery: "retry",
    hint: "Another command changes this source's capture, or a job of it is running or paused: wait for it, or cancel the job. Then run the same command again.",
  },
  CAPTURE_UNSEEN_WRITES: {
    recovery: "refuse",
    hint: "Something writes to these tables that the new capture doesn't see: start every process of the application with it first, or say --force.",
  },
  CAPTURE_LOG_HELD: {
    recovery: "retry",
    hint: "The source keeps its log for a target that doesn't apply it, and its disk fills: mend the slowest target, or remove it (removeTarget).",
  },
  CAPTURE_LOG_LOST: {
    recovery: "halt",
    hint: "The source no longer holds the part of its log that comes next. Verify the targets, install the capture anew (lockstep capture remove, lockstep capture install), then seed them again.",
  },
  JOB_LIVE: {
    recovery: "refuse",
    hint: "Only one of its kind at a time: wait for it, or pause, resume or cancel it (lockstep jobs list).",
  },
  JOB_UNKNOWN: { recovery: "refuse", hint: "List the jobs: lockstep jobs list." },
  JOB_STATE: { recovery: "refuse", hint: "The job's state doesn't allow this: lockstep jobs list shows it." },
  JOB_MISSED: {
    recovery: "retry",
    hint: "No consumer was there when the schedule was due. It runs the next time; to run it now: lockstep schedules run <name>.",
  },
  JOB_UNEXPECTED: {
    recovery: "halt",
    hint: "Nothing that passes by itself: the message names the error and its place. Begin the job again with the newest version; if it comes back, report it with both.",
  },
  JOB_WINDOW_CLOSED: {
    recovery: "retry",
    hint: "The window of the job's schedule has closed; it goes on in the next one, or now: lockstep jobs resume <id>.",
  },
  SCHEDULE_UNKNOWN: { recovery: "refuse", hint: "List the schedules: lockstep schedules list." },
  SYNC_CONDITION_INVALID: {
    recovery: "refuse",
    hint: "Give --where one condition on the table's own columns, as SQL has it behind WHERE.",
  },
  INCREMENTAL_COLUMN: {
    recovery: "refuse",
    hint: "Name a column that every write of a row raises, a time or a number, in sources.<name>.incremental. lockstep sync incremental --suggest prints the statements that make one.",
  },
  INCREMENTAL_INDEX: {
    recovery: "refuse",
    hint: "Make the index that the message names, or ask the table's owner for it.",
  },
  INCREMENTAL_CAPTURED: {
    recovery: "refuse",
    hint: "A table's changes come one way: take it out of sources.<name>.incremental, or out of the capture.",
  },
  SOURCE_UNTOUCHED: {
    recovery: "refuse",
    hint: "Nothing of Lockstep's goes into a source with a stateStore, nor may it lock rows there: its tables are copied, kept in step and set right by lockstep sync incremental.",
  },
  TARGET_NOT_FOLLOWING: {
    recovery: "refuse",
    hint: "A full sync goes through the stream: start the relay and a consumer of this target first. One that was passed by follows again with --anew.",
  },
  RELAY_FENCED: { recovery: "retry", hint: "Another relay leads this source. Nothing to do." },
  SOURCE_UNAVAILABLE: {
    recovery: "retry",
    hint: "The source database can't be reached; changes wait in it.",
  },
  SOURCE_REFUSED: {
    recovery: "refuse",
    hint: "The source refuses what a job asks of it, with the code named: rights (a full sync locks rows: UPDATE on PostgreSQL), or a condition that fails for some row. Correct it and begin the job again.",
  },
  SOURCE_BUSY: {
    recovery: "retry",
    hint: "The application holds locks on these rows or tables for long: run it again when there is less to do.",
  },
  TABLE_CHANGED: {
    recovery: "retry",
    hint: "A table was altered while its rows were copied. Nothing to do: it is looked at again.",
  },
  SOURCE_REPLACED: {
    recovery: "halt",
    hint: "The source is not the one that made these positions (restored or promoted?). Verify the targets, then seed them again.",
  },
  SNAPSHOT_WENT_BACK: {
    recovery: "halt",
    hint: "The source went back in time. Verify the targets, then seed them again.",
  },
  STREAM_UNAVAILABLE: { recovery: "retry", hint: "Redis can't be reached; changes wait in the source." },
  STREAM_GAP: {
    recovery: "retry",
    hint: "The stream has a hole; the relay publishes again from the outbox.",
  },
  STREAM_ENTRY_INVALID: {
    recovery: "halt",
    hint: "Deploy consumers before publishers; a newer publisher wrote this entry.",
  },
  STREAM_SCHEMA_UNKNOWN: {
    recovery: "retry",
    hint: "The relay publishes schemas again with the next epoch; wait.",
  },
  TRUNCATE_PARTITIONED: {
    recovery: "halt",
    hint: "With several partitions nothing says which rows a TRUNCATE came before. Use DELETE, or one partition. To go on from here, remove the source's targets and seed them again.",
  },
  PARTITIONS_CHANGED: {
    recovery: "halt",
    hint: "Set partitions back, or remove the source's targets and seed them again.",
  },
  HISTORY_GONE: {
    recovery: "halt",
    hint: "The outbox no longer holds what this target needs. Seed it again: lockstep sync full --anew --target <name>.",
  },
  TARGET_UNAVAILABLE: {
    recovery: "retry",
    hint: "The target can't be reached or is overloaded; its lane waits.",
  },
  TARGET_FENCED: { recovery: "retry", hint: "Another consumer owns this lane. Nothing to do." },
  TARGET_IDENTITY_CHANGED: {
    recovery: "halt",
    hint: "The target is another database than the one registered. Remove the target and seed it again.",
  },
  TARGET_LOST_WRITES: {
    recovery: "halt",
    hint: "The target no longer has what it had taken (emptied, restored, or failed over?). Seed it again: lockstep sync full --anew --target <name>.",
  },
  TARGET_TABLE_MISSING: {
    recovery: "halt",
    hint: 'Create the table in the target, or use schema: "managed".',
  },
  TARGET_COLUMN_MISSING: {
    recovery: "halt",
    hint: 'Add the column to the target\'s table, or use schema: "managed".',
  },
  TARGET_NAME: {
    recovery: "halt",
    hint: "The target's server can't have this name, or would cut it: give the table or column another one in the target's `map`, or leave it out there.",
  },
  TARGET_KEY_MISMATCH: {
    recovery: "halt",
    hint: "The target's table needs the same primary key as the source's.",
  },
  TARGET_FOREIGN_KEY_PARTITIONED: {
    recovery: "halt",
    hint: "Drop the foreign keys from the target's table, or publish with one partition: lanes don't wait for each other, so a row may come before the one it refers to.",
  },
  TARGET_KEY_COLLATION: {
    recovery: "halt",
    hint: "Give the key columns a binary collation: keys that differ only in case or spaces would overwrite each other.",
  },
  TARGET_NOT_NULL: {
    recovery: "dead-letter",
    hint: "Let the target's column be NULL, then replay the letter.",
  },
  TARGET_UNIQUE: {
    recovery: "dead-letter",
    hint: "Another row of the target holds the unique value. Remove one, then replay.",
  },
  TARGET_FOREIGN_KEY: {
    recovery: "dead-letter",
    hint: "The other side of the foreign key is missing in the target. Seed it, then replay.",
  },
  TARGET_CHECK: {
    recovery: "dead-letter",
    hint: "The target's CHECK refuses the row. Correct the constraint, then replay.",
  },
  TARGET_VALUE: {
    recovery: "dead-letter",
    hint: "The target's column can't hold the value. Widen the column, then replay.",
  },
  TARGET_WOULD_CASCADE: {
    recovery: "dead-letter",
    hint: "The delete would remove or change other rows of the target by a foreign key. Look at them, then replay.",
  },
  TARGET_REFUSED: {
    recovery: "dead-letter",
    hint: "The target refused the row (a trigger or a rule?). Correct it, then replay.",
  },
  TRANSFORM_FAILED: {
    recovery: "dead-letter",
    hint: "A function of the target's mapping threw, or gave a value of another type, at the place named. Correct it, restart the consumers, then replay the letter.",
  },
  MAPPING_NEEDS_WHOLE_IMAGE: {
    recovery: "dead-letter",
    hint: "The mapping filters or computes by a column that this change doesn't carry. Set REPLICA IDENTITY FULL (PostgreSQL) or binlog_row_image = FULL; the row's next whole image supersedes the letter.",
  },
  CONFLICT_POLICY_FAILED: {
    recovery: "dead-letter",
    hint: "The conflict policy threw, or gave what can't be the row, at the place named. Correct it, restart the consumers, then replay the letter.",
  },
  LETTER_UNREADABLE: {
    recovery: "dead-letter",
    hint: "The letter's key was sealed with another maskSecret. Run a full sync of the target, then discard the letter.",
  },
  TARGET_MANY_REFUSED: {
    recovery: "halt",
    hint: "Many rows were refused for the same reason: correct the target's table; the lane goes on by itself.",
  },
  TARGET_BEHIND: {
    recovery: "retry",
    hint: "The target's lane doesn't get on: look at GET /api/v1/status, and see that a consumer runs and the lane isn't paused.",
  },
  VERIFY_KEY: {
    recovery: "refuse",
    hint: "The target's key columns have other types than the source's: give them types that hold the same values.",
  },
  VERIFY_UNHASHED: {
    recovery: "halt",
    hint: "A row is larger than the server's max_allowed_packet: raise it, or leave the table out.",
  },
  CONFLICT_UNKNOWN: { recovery: "refuse", hint: "List the conflicts: GET /api/v1/conflicts." },
  LETTER_UNKNOWN: { recovery: "refuse", hint: "List the letters: GET /api/v1/dead-letters." },
  LETTER_STATE: { recovery: "refuse", hint: "The letter's state doesn't allow this; look at it first." },
  LANE_UNOWNED: {
    recovery: "retry",
    hint: "Start a consumer: node services/consumer/dist/main.js --config <file>.",
  },
  RELAY_SILENT: {
    recovery: "retry",
    hint: "Start the application whose publisher holds the relay, or services/relay; changes wait in the source.",
  },
  LANE_UNKNOWN: { recovery: "refuse", hint: "List the lanes: GET /api/v1/status." },
  REQUEST_INVALID: { recovery: "refuse", hint: "Correct the request; /docs describes it." },
  FILTER_EMPTY: { recovery: "refuse", hint: "Give a filter or ids, or say all: true." },
  LISTEN_WITHOUT_TOKEN: {
    recovery: "refuse",
    hint: "Set a token (status.token or LOCKSTEP_TOKEN), or listen on 127.0.0.1.",
  },
  DRAIN_TIMEOUT: {
    recovery: "halt",
    hint: "Work in flight was abandoned after the drain bound; it is done again at the next start.",
  },
} as const satisfies Record<string, ErrorRule>;

/** The code of an error: a key of {@link errorTable}. */
export type ErrorCode = keyof typeof errorTable;

/** Ids and counts that say which thing an error is about. Never row values or secrets. */
export type ErrorDetails = Readonly<
  Record<string, string | number | boolean | readonly string[] | undefined>
>;

/** The one error class of Lockstep. `message` never holds row values or secrets. */
export class LockstepError extends Error {
  override readonly name = "LockstepError";
  readonly code: ErrorCode;
  /** What happened: the message without its code and hint. */
  readonly what: string;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, what: string, options: { cause?: unknown; details?: ErrorDetails } = {}) {
    super(
      `${what} [${code}] ${errorTable[code].hint}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.what = what;
    this.details = options.details ?? {};
  }

  /** What Lockstep does about it. */
  get recovery(): Recovery {
    return errorTable[this.code].recovery;
  }

  /** What the user should do. */
  get hint(): string {
    return errorTable[this.code].hint;
  }
}

/** True for a {@link LockstepError}, of the given code when one is named. Works across copies of this package. */
export function isLockstepError(error: unknown, code?: ErrorCode): error is LockstepError {
  if (!(error instanceof Error) || error.name !== "LockstepError" || !("code" in error)) return false;
  return code === undefined || error.code === code;
}
