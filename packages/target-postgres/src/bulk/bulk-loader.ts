import {
  type BulkLayout,
  type BulkLoader,
  type HeldLane,
  imagesIn,
  LockstepError,
  type TargetTable,
} from "@lockstep/core";
import { own } from "../own-tables/ddl.js";
import { writtenCells } from "../rows/cells.js";
import { copyText } from "../rows/copy-text.js";
import type { StepStatements } from "../rows/statements.js";
import { upsertRows } from "../rows/upsert.js";
import { Session, type SessionOptions } from "../session/session.js";
import { readCatalog } from "../tables/catalog.js";
import { type PostgresTable, postgresTable } from "../tables/postgres-table.js";
import type { Command } from "../wire/pipeline.js";
import { sqlState } from "../wire/sql-state.js";
import { bulkLayout, takesLines } from "./bulk-layout.js";

/** Rows by COPY, each load in a transaction of a session of its own. */
export class PostgresLoader implements BulkLoader {
  readonly #options: SessionOptions;
  readonly #fence: (rows: number) => Command;
  readonly #idle: Session[] = [];

  constructor(options: SessionOptions, source: string, held: readonly HeldLane[]) {
    this.#options = options;
    this.#fence = (rows) => fenceOf(source, held, rows);
  }

  layout(table: TargetTable): BulkLayout | undefined {
    return bulkLayout(postgresTable(table));
  }

  count(table: TargetTable, most: number): Promise<number> {
    return this.#use(async (session) => {
      const some = `select from ${postgresTable(table).quoted} limit ${Math.ceil(most)}`;
      const { rows } = await session.query(`select count(*) from (${some}) s`);
      return Number(rows[0]?.[0]);
    });
  }

  load(table: TargetTable, layout: BulkLayout, rows: AsyncIterable<Buffer>): Promise<number> {
    const into = postgresTable(table);
    const isPlain = layout.format === "binary" || takesLines(into);
    return this.#write(into, (session) =>
      session.copyFrom(copyInto(into, layout), isPlain ? rows : linesFor(into, rows)),
    );
  }

  merge(table: TargetTable, rows: AsyncIterable<Buffer>): Promise<number> {
    const into = postgresTable(table);
    return this.#write(into, async (session) => {
      let written = 0;
      for await (const images of imagesIn(rows)) {
        await upsertRows(
          stepOf(session),
          into,
          images.map((image) => ({ key: "", image })),
        );
        written += images.length;
      }
      return written;
    });
  }

  #write(into: PostgresTable, work: (session: Session) => Promise<number>): Promise<number> {
    return this.#use(async (session) => {
      // The lock first: nobody alters the table any more, which must be the one that the layout was made for.
      await session.run([{ text: "begin" }, { text: `lock table ${into.quoted} in row exclusive mode` }]);
      await refuseChanged(session, into);
      const written = await work(session);
      await session.run([this.#fence(written), { text: "commit" }]).catch((error: unknown) => {
        throw sqlState(error) === "22P02" ? fenced(error) : error;
      });
      return written;
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((session) => session.close()));
  }

  /** A session whose work failed may be in the middle of anything: the server rolls back when it is gone. */
  async #use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const session = this.#idle.pop() ?? (await Session.open(this.#options));
    try {
      const result = await work(session);
      this.#idle.push(session);
      return result;
    } catch (error) {
      session.destroy();
      throw error;
    }
  }
}

function stepOf(session: Session): StepStatements {
  return {
    run: (commands) => session.run(commands),
    async savepoint(work) {
      await session.run([{ text: "savepoint lockstep_load" }]);
      try {
        const result = await work();
        await session.run([{ text: "release savepoint lockstep_load" }]);
        return result;
      } catch (error) {
        await session.run([{ text: "rollback to savepoint lockstep_load" }]);
        throw error;
      }
    },
  };
}

async function refuseChanged(session: Session, { catalog, schema }: PostgresTable): Promise<void> {
  const query = (text: string, values?: readonly (string | null)[]) => session.query(text, values);
  const now = (await readCatalog(query, catalog.namespace, [catalog.name])).get(schema.name);
  if (JSON.stringify(now) === JSON.stringify(catalog)) return;
  const details = { details: { table: `${catalog.namespace}.${catalog.name}` } };
  throw new LockstepError("TABLE_CHANGED", "the target's table was altered", details);
}

function copyInto(table: PostgresTable, { format }: BulkLayout): string {
  return `copy ${table.quoted} (${table.columns.map(({ quoted }) => quoted).join(", ")}) from stdin with (format ${format})`;
}

/** What the lane would write of these images. */
async function* linesFor(table: PostgresTable, pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const images of imagesIn(pieces)) {
    yield Buffer.from(copyText(images.map((image) => writtenCells(table, { key: "", image }))));
  }
}

/**
 * The fence, as the last statement (PROTOCOL.md 14): it fails, instead of updating nothing, when a lane isn't held any more. Whoever takes a lane over changes its
 * row first, and so comes before this, which then fails, or waits for the commit. At the end, because the rows of many transactions are loaded at once.
 * It also says whose change this is where the target is itself captured from its log (37).
 */
function fenceOf(source: string, held: readonly HeldLane[], rows: number): Command {
  const list = (numbers: readonly number[]): string => `{${numbers.join(",")}}`;
  return {
    text: `with moved as (
        update ${own.checkpoint} c set records = records + case when c.partition = $4::integer then $5::bigint else 0 end, last_sync_at = clock_timestamp()
          from unnest($2::integer[], $3::bigint[]) h(partition, epoch)
         where c.source = $1 and c.partition = h.partition and c.epoch = h.epoch returning c.partition)
      select case when n = cardinality($2::integer[]) then true else ('lockstep: another session owns a lane: ' || n)::boolean end
        from (select count(*) as n from moved) m`,
    values: [
      source,
      list(held.map(({ partition }) => partition)),
      list(held.map(({ epoch }) => epoch)),
      String(held[0]?.partition ?? 0),
      String(rows),
    ],
  };
}

function fenced(cause: unknown): LockstepError {
  return new LockstepError("TARGET_FENCED", "a lane isn't held any more", { cause });
}
