import {
  type DeadLetter,
  type DeadLetterDetail,
  type LetterDesk,
  type LetterFilter,
  type LetterState,
  LockstepError,
} from "@lockstep/core";
import { live, own } from "../own-tables/ddl.js";
import type { Query } from "../tables/catalog.js";
import { readCursor, writeCursor } from "./cursor.js";
import { filterCondition, isId, Parameters } from "./filter.js";
import { detailColumns, letterColumns, readDetail, readLetter, stateCounts } from "./letter-row.js";

/** Letters of the whole target, for people and jobs. It never writes rows: letters are marked, the lane does the rest. */
export class PostgresLetterDesk implements LetterDesk {
  readonly #query: Query;

  constructor(query: Query) {
    this.#query = query;
  }

  async list(
    filter: LetterFilter,
    page: { readonly limit: number; readonly cursor?: string },
  ): Promise<{ readonly letters: readonly DeadLetter[]; readonly next?: string }> {
    const parameters = new Parameters();
    const condition = filterCondition(filter, parameters);
    const after = page.cursor === undefined ? "true" : afterPage(page.cursor, parameters);
    // One more than the page: whether there is a next one.
    const limit = parameters.add(String(page.limit + 1));
    const { rows } = await this.#query(
      `select ${letterColumns} from ${own.letter} l where ${condition} and ${after}
       order by l.last_failed_at desc, l.id desc limit ${limit}`,
      parameters.values,
    );
    const letters = rows.slice(0, page.limit).map(readLetter);
    const last = letters[letters.length - 1];
    return rows.length > page.limit && last !== undefined
      ? { letters, next: writeCursor(last) }
      : { letters };
  }

  async groups(filter: LetterFilter, limit: number): ReturnType<LetterDesk["groups"]> {
    const parameters = new Parameters();
    const condition = filterCondition(filter, parameters);
    const { rows } = await this.#query(
      `select l.table_name, l.code, count(*), (extract(epoch from min(l.first_failed_at)) * 1000)::bigint,
         (extract(epoch from max(l.last_failed_at)) * 1000)::bigint
       from ${own.letter} l where ${condition}
       group by l.table_name, l.code order by count(*) desc, l.table_name, l.code limit ${parameters.add(String(limit))}`,
      parameters.values,
    );
    return rows.map(([table, code, count, oldestAt, newestAt]) => ({
      table: table!,
      code: code!,
      count: Number(count),
      oldestAt: Number(oldestAt),
      newestAt: Number(newestAt),
    }));
  }

  async get(id: string): Promise<DeadLetterDetail | undefined> {
    if (!isId(id)) return undefined;
    const { rows } = await this.#query(
      `select ${detailColumns} from ${own.letter} l where l.id = $1::bigint`,
      [id],
    );
    return rows[0] === undefined ? undefined : readDetail(rows[0]);
  }

  async replay(filter: LetterFilter, by: string, limit: number): Promise<readonly string[]> {
    const parameters = new Parameters();
    const condition = filterCondition(filter, parameters);
    const { rows } = await this.#query(
      `update ${own.letter} set state = 'due', attempts = 0, due_at = null, waiting_for = null,
         resolved_by = ${parameters.add(by)}
       where id in (select l.id from ${own.letter} l where l.state in ${live} and ${condition}
         order by l.tick, l.n, l.ordinal limit ${parameters.add(String(limit))} for no key update)
       returning id`,
      parameters.values,
    );
    return rows.map(([id]) => id!);
  }

  async discard(id: string, by: string, reason: string): Promise<void> {
    const discarded = isId(id) ? await this.#query(discardLetter, [id, by, reason]) : undefined;
    if ((discarded?.rows.length ?? 0) > 0) return;
    const letter = await this.get(id);
    if (letter === undefined) throw new LockstepError("LETTER_UNKNOWN", "there is no such letter");
    throw new LockstepError("LETTER_STATE", `a letter that is ${letter.state} can't be discarded`, {
      details: { id, state: letter.state },
    });
  }

  async markDue(id: string, attempt: number): Promise<boolean> {
    if (!isId(id)) return false;
    const { count } = await this.#query(
      `update ${own.letter} set state = 'due', due_at = null where id = $1::bigint and state = 'retrying' and attempts = $2::integer`,
      [id, String(attempt)],
    );
    return count === 1;
  }

  async counts(): Promise<Readonly<Record<LetterState, number>>> {
    const { rows } = await this.#query(`select state, count(*) from ${own.letter} group by state`);
    return stateCounts(rows);
  }

  async schemas(): ReturnType<LetterDesk["schemas"]> {
    const { rows } = await this.#query(
      `select distinct source, table_name, schema_fingerprint from ${own.letter} limit 1000`,
    );
    return rows.map(([source, table, schema]) => ({ source: source!, table: table!, schema: schema! }));
  }
}

function afterPage(cursor: string, parameters: Parameters): string {
  const { lastFailedAt, id } = readCursor(cursor);
  const at = `to_timestamp(${parameters.add(String(lastFailedAt))}::double precision / 1000)::timestamptz(3)`;
  return `(l.last_failed_at, l.id) < (${at}, ${parameters.add(id)}::bigint)`;
}

// Letters that waited for this one would wait for ever: they are tried, and say themselves what they lack.
const discardLetter = `with gone as (
    update ${own.letter} set state = 'discarded', resolved_at = clock_timestamp(), resolved_by = $2, reason = $3,
      due_at = null, waiting_for = null
    where id = $1::bigint and state in ${live} returning id),
  released as (
    update ${own.letter} set state = 'due', waiting_for = null
    where state = 'waiting' and waiting_for in (select id from gone))
  select id from gone`;
