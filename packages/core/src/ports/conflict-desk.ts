import type { Position } from "../position.js";
import type { ConflictOutcome, ConflictWrite } from "./guarded-rows.js";

/** A conflict as lists show it: identifiers, never row values. */
export interface ConflictEntry {
  readonly id: string;
  readonly source: string;
  readonly partition: number;
  /** The target's table, `namespace.name` as its schema says. */
  readonly table: string;
  readonly key: string;
  readonly position: Position;
  /** When it was decided, by the target's clock, ms since 1970. */
  readonly at: number;
  readonly policy: string;
  readonly outcome: ConflictOutcome;
}

/** A conflict with what both sides had, and what became of it. */
export interface ConflictDetail extends ConflictEntry {
  /** JSON objects of texts by column; absent: the row was deleted there. */
  readonly images: Pick<ConflictWrite, "source" | "target" | "result">;
}

/** Which conflicts. Every field narrows. */
export interface ConflictFilter {
  readonly source?: string;
  /** `namespace.name`, or a name in any namespace. */
  readonly table?: string;
  readonly outcome?: ConflictOutcome;
  /** Decided then or later, ms since 1970. */
  readonly since?: number;
}

/** The conflicts that a target's lanes have decided, as people see them. */
export interface ConflictDesk {
  /** Newest first; `cursor` from the page before. */
  list(
    filter: ConflictFilter,
    page: { readonly limit: number; readonly cursor?: string },
  ): Promise<{ readonly conflicts: readonly ConflictEntry[]; readonly next?: string }>;
  get(id: string): Promise<ConflictDetail | undefined>;
}

/** What a lane keeps of the conflicts it decided. */
export interface ConflictsKept {
  /** Conflicts and tombstones older than this are forgotten, ms since 1970. */
  readonly before: number;
  /** At most so many conflicts stay, the newest. */
  readonly most: number;
  /** At most so many rows are deleted at a time. */
  readonly limit: number;
}
