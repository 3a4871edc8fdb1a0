import { LockstepError, type RowNote, tableId } from "@lockstep/core";
import { passBlindWrite } from "./blind-writes.js";
import type { CaptureRules } from "./capture-rules.js";
import type { CapturedTable } from "./captured-tables.js";
import { type Journal, Unidentified } from "./journal.js";
import { refusedByDatabase } from "./server-errors.js";
import type { Session } from "./session.js";
import type { SendStatement } from "./marked-parameters.js";
import type { DriverInternals, StructuredResult, WriteBuilder } from "./typeorm-internals.js";

/** What a write query builder sends. */
export interface WriteStatement {
  readonly sql: string;
  readonly parameters: unknown[];
  /** Its WHERE clause with TypeORM's named parameters; empty for INSERT. */
  readonly where: string;
  /** Whether it has a RETURNING clause. */
  readonly returns: boolean;
  /** Keys of the rows that it is restricted to, which are locked. */
  readonly locked?: readonly (readonly string[])[];
}

interface WriteContext {
  readonly rules: CaptureRules;
  readonly session: Session;
  readonly send: SendStatement;
  readonly table: CapturedTable;
}

/** One write under way: its table, and the ways to send statements beside it. */
export class Write {
  readonly table: CapturedTable;
  readonly #context: WriteContext;
  #executed = false;

  constructor(context: WriteContext) {
    this.#context = context;
    this.table = context.table;
  }

  get engine(): CaptureRules["engine"] {
    return this.#context.rules.engine;
  }

  get journal(): Journal {
    return this.#context.session.journal;
  }

  get rules(): CaptureRules {
    return this.#context.rules;
  }

  /** Sends the write itself. */
  execute(sql: string, parameters: readonly unknown[]): Promise<StructuredResult> {
    return this.#context.send(sql, [...parameters]).then(
      (result) => {
        this.#executed = true;
        return result;
      },
      (error: unknown) => {
        // Any other error may have come after the statement was done (a subscriber's afterQuery, a cut connection).
        if (!refusedByDatabase(error)) this.#executed = true;
        throw error;
      },
    );
  }

  /** Sends a statement beside the write; gives its rows. */
  select(sql: string, parameters: readonly unknown[]): Promise<Record<string, unknown>[]> {
    return this.#context.session.statement(sql, parameters);
  }

  /** Runs an identification; an error after the write was sent means that its rows aren't known. */
  guarded<T>(identification: () => Promise<T>): Promise<T> {
    return identification().catch((error: unknown) => {
      throw this.#executed ? new Unidentified(error) : error;
    });
  }

  note(op: RowNote["op"], key: readonly string[], before?: readonly string[]): RowNote {
    return { table: this.table.table, op, key, ...(before && { before }) };
  }

  /** For rows that can't be known: refuses before the write, or lets it through with a warning (`bulkWrites`). */
  refuse(why: string): void {
    passBlindWrite(this.rules, this.rules.bulkWrites === "error", [tableId(this.table.table)], why);
  }

  /** For rows that turn out unknown after the write. */
  lost(why: string): readonly RowNote[] {
    if (this.rules.bulkWrites === "error") {
      throw new LockstepError("CAPTURE_BLIND_WRITE", `${why} on ${tableId(this.table.table)}`);
    }
    this.refuse(why);
    return [];
  }
}

/** A write of one of TypeORM's query builders. */
export class BuilderWrite extends Write {
  readonly builder: WriteBuilder;
  readonly driver: DriverInternals;

  constructor(context: WriteContext, builder: WriteBuilder, driver: DriverInternals) {
    super(context);
    this.builder = builder;
    this.driver = driver;
  }

  /** SQL with TypeORM's named parameters and property names, made ready to be sent. */
  resolve(sql: string): [string, unknown[]] {
    return this.driver.escapeQueryWithParameters(
      this.builder.replacePropertyNamesForTheWholeQuery(sql),
      this.builder.getParameters(),
      this.builder.expressionMap.nativeParameters ?? {},
    );
  }

  /** The builder's statement with another WHERE, and without ORDER BY and LIMIT. */
  rebuilt(where: string): [string, unknown[]] {
    const prototype = Object.getPrototypeOf(this.builder) as WriteBuilder;
    const copy = Object.assign(Object.create(prototype) as WriteBuilder, this.builder, {
      createWhereExpression: () => where,
      createOrderByExpression: () => "",
      createLimitExpression: () => "",
    });
    return prototype.getQueryAndParameters.call(copy);
  }
}
