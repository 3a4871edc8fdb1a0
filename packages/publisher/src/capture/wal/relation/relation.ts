import type { RelationMessage } from "../pgoutput/relation-message.js";

/** What the changes of a table in the log become. */
export type Relation =
  CapturedRelation | OutboxRelation | CheckpointRelation | VersionRelation | { readonly kind: "ignored" };

/** A captured table. */
export interface CapturedRelation {
  readonly kind: "captured";
  readonly table: { readonly namespace: string; readonly name: string };
  /** Fingerprint of its schema. */
  readonly schema: string;
  /** Where the primary key's columns stand in a row, in key order. */
  readonly key: readonly number[];
  /** Old rows are known by an index that doesn't have all of the key: an update or a delete doesn't say which row it is about. */
  readonly isBlind?: true;
  /** Which columns are booleans; absent when none is. */
  readonly booleans?: readonly boolean[];
}

/** The outbox: what others write there (backfill, repair, barriers) takes its place in the log (PROTOCOL.md 27). */
export interface OutboxRelation {
  readonly kind: "outbox";
  readonly at: Readonly<
    Record<
      "op" | "fingerprint" | "key" | "image" | "before" | "traceparent" | "origin" | "audience" | "version",
      number
    >
  >;
}

/** The checkpoint of a target that is this same database: who touches it is Lockstep itself (PROTOCOL.md 37). */
interface CheckpointRelation {
  readonly kind: "checkpoint";
  /** Where the column stands that names the source a transaction came from. */
  readonly source: number;
}

/** Where the versions of two-way rows are kept; each stands before the row that it is about. */
export interface VersionRelation {
  readonly kind: "version";
  readonly at: Readonly<Record<"table" | "key" | "stamp" | "node" | "seen" | "from", number>>;
}

/** Knows the tables of the log. */
export interface Relations {
  /** Finds out what a table of the log is. @throws LockstepError TABLE_WITHOUT_PRIMARY_KEY; whatever the source throws. */
  resolve(message: RelationMessage): Promise<Relation>;
  /** The schema that an outbox row names, and how its image is read here; `undefined` when it must be learned first. */
  outboxSchema(fingerprint: string): OutboxSchema | undefined;
  /** Learns the schemas that were made since, and gives that one. */
  learn(fingerprint: string): Promise<OutboxSchema>;
}

/** What an outbox row's fingerprint stands for. */
export interface OutboxSchema {
  readonly table: { readonly namespace: string; readonly name: string };
  readonly schema: string;
  /** Cells of the image that stay, when the log doesn't hold all columns of the table. */
  readonly keeps?: readonly number[];
}
