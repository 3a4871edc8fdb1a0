import { tableId } from "@lockstep/core";
import { eventType, headerOf } from "../event/event-header.js";
import { meaningOf, statementOf } from "../event/query-event.js";
import { rowsOpOf, tableIdOf } from "../event/rows-event.js";
import { tableMapHead } from "../event/table-map.js";
import { refuseUnlessWithoutRows } from "../event/unreadable.js";
import { FileFollower } from "./file-follower.js";
import { placeOf, tickAt } from "./place.js";

/** What a transaction of the log did. */
interface LoggedTransaction {
  /** Tables (`namespace.name`) whose rows it changed. */
  readonly tables: ReadonlySet<string>;
  /** Of these texts, those that stand in the rows which it changed in the table that was asked for. */
  readonly texts: ReadonlySet<string>;
}

/** What is looked for, and from where on. */
interface Counting {
  /** File that was asked for, and the place from which on transactions count. */
  readonly file: string;
  readonly from: bigint;
  /** Told of each committed transaction. */
  readonly committed: (transaction: LoggedTransaction) => void;
  /** Told of a change that was logged as a statement, by the session's database. */
  readonly statement: (database: string) => void;
  /** Table in whose rows texts are looked for. Needs no column's type: texts stand in the log as they are. */
  readonly within: { readonly table: string; readonly texts: readonly string[] };
}

interface Open {
  readonly tables: Set<string>;
  readonly texts: Set<string>;
}

/** Reads the log as far as to say which transactions touched which tables; rows are not decoded. */
export class TransactionCount {
  readonly #follower: FileFollower;
  readonly #names = new Map<number, string>();
  #open: Open | undefined;

  constructor(private readonly counting: Counting) {
    this.#follower = new FileFollower(counting.file);
  }

  /** Everything before it was read. */
  get boundary(): bigint {
    return this.#follower.boundary;
  }

  /** @throws LockstepError CAPTURE_LOG_UNREADABLE. */
  push(event: Buffer): void {
    const header = headerOf(event);
    const begins = this.#follower.advance(header);
    const body = (): Buffer => this.#follower.bodyOf(event);
    switch (header.type) {
      case eventType.rotate:
        return this.#follower.rotate(event, header.isArtificial);
      case eventType.formatDescription:
        return this.#follower.describe(event, header);
      case eventType.gtid:
      case eventType.anonymousGtid:
      case eventType.taggedGtid:
      case eventType.mariadbGtid:
        return this.#begin(begins);
      case eventType.query:
        return this.#statement(body());
      case eventType.tableMap: {
        const head = tableMapHead(body());
        this.#names.set(head.id, tableId(head));
        return;
      }
      case eventType.xid:
      case eventType.xaPrepare:
        return this.#commit();
      default:
        if (rowsOpOf(header.type)) return this.#rows(body());
        return refuseUnlessWithoutRows(header.type, header.isIgnorable);
    }
  }

  #begin(offset: number): void {
    this.#names.clear();
    const { file } = placeOf(this.#follower.boundary);
    this.#open =
      tickAt({ file, offset }) < this.counting.from ? undefined : { tables: new Set(), texts: new Set() };
  }

  #statement(body: Buffer): void {
    const statement = statementOf(body);
    const { is } = meaningOf(statement);
    if (is === "commit") this.#commit();
    if (is === "rollback") this.#open = undefined;
    if (is === "statement-format" && this.#open !== undefined) this.counting.statement(statement.database);
  }

  #rows(body: Buffer): void {
    const table = this.#names.get(tableIdOf(body));
    if (table === undefined || this.#open === undefined) return;
    this.#open.tables.add(table);
    const { within } = this.counting;
    if (table !== within.table) return;
    for (const text of within.texts) if (body.includes(text)) this.#open.texts.add(text);
  }

  #commit(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open !== undefined && open.tables.size > 0) this.counting.committed(open);
  }
}
