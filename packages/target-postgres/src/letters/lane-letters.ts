import type { DeadLetter, DeadLetterDetail, LetterWrite } from "@lockstep/core";
import { maxPageBytes, splitPosition } from "@lockstep/core";
import type { LaneName } from "../lane/checkpoint-row.js";
import { live, own } from "../own-tables/ddl.js";
import type { RowName } from "../rows/missing-parents.js";
import type { RunInStep } from "../rows/statements.js";
import { arrayText } from "../sql/quote.js";
import type { Answer } from "../wire/pipeline.js";
import { detailBytes, detailColumns, letterColumns, readDetail, readLetter, rowHash } from "./letter-row.js";

/** Entries that a letter's history keeps. */
const historyLength = 20;

/** The letters of one lane, in the transaction of a step. Rows read here stay locked: nobody discards a letter that is being written. */
export class LaneLetters {
  readonly #run: RunInStep;
  readonly #lane: LaneName;

  constructor(run: RunInStep, lane: LaneName) {
    this.#run = run;
    this.#lane = lane;
  }

  async find(rows: readonly RowName[]): Promise<readonly DeadLetter[]> {
    if (rows.length === 0) return [];
    const wanted = new Set(rows.map(({ table, key }) => rowHash(table, key)));
    const found = await this.#query(
      `select ${letterColumns} from ${own.letter} l
       where l.source = $1 and l.row_hash = any($2::text[]) and l.state in ${live} for no key update`,
      [this.#lane.source, arrayText([...wanted])],
    );
    return found.rows.map(readLetter);
  }

  async due(limit: number): Promise<readonly DeadLetterDetail[]> {
    const found = await this.#query(
      pageOfLetters("l.state = 'due' and l.source = $3 and l.partition = $4::integer"),
      [String(limit), String(maxPageBytes), this.#lane.source, String(this.#lane.partition)],
    );
    return found.rows.map(readDetail);
  }

  async waitingFor(id: string, limit: number): Promise<readonly DeadLetterDetail[]> {
    const found = await this.#query(pageOfLetters("l.state = 'waiting' and l.waiting_for = $3"), [
      String(limit),
      String(maxPageBytes),
      id,
    ]);
    return found.rows.map(readDetail);
  }

  async put(letter: LetterWrite): Promise<string> {
    const { tick, n } = splitPosition(letter.position);
    const { rows } = await this.#query(putLetter, [
      this.#lane.source,
      String(this.#lane.partition),
      letter.table,
      letter.key,
      rowHash(letter.table, letter.key),
      letter.op,
      String(tick),
      String(n),
      String(letter.ordinal),
      letter.schema,
      letter.image ?? null,
      letter.before ?? null,
      letter.state,
      letter.code,
      letter.about ?? null,
      // Drivers quote values, and a value may hold what a text can't.
      letter.rawError.replaceAll("\u0000", ""),
      String(letter.attempts),
      String(letter.maxAttempts),
      letter.dueAt === undefined ? null : String(letter.dueAt),
      letter.waitingFor ?? null,
      letter.version ?? null,
    ]);
    return rows[0]![0]!;
  }

  async resolve(ids: readonly string[], state: "applied" | "superseded"): Promise<void> {
    if (ids.length === 0) return;
    await this.#query(
      `update ${own.letter} set state = $2, resolved_at = clock_timestamp(), due_at = null, waiting_for = null
       where id = any($1::bigint[]) and state in ${live}`,
      [arrayText(ids), state],
    );
  }

  async #query(text: string, values: readonly (string | null)[]): Promise<Answer> {
    const [answer] = await this.#run([{ text, values, prepared: true }]);
    return answer!;
  }
}

const attempt = `jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
  'at', (extract(epoch from clock_timestamp()) * 1000)::bigint, 'code', $14::text, 'about', $15::text)))`;

const newest = (history: string): string => `(select jsonb_agg(e order by n) from (
  select e, n from jsonb_array_elements(${history}) with ordinality as h(e, n) order by n desc limit ${historyLength}) kept)`;

const replaced = [
  "partition, table_name, row_key, op, tick, n, ordinal, schema_fingerprint, image, before_key, state, code, about",
  "raw_error, attempts, max_attempts, due_at, waiting_for, last_failed_at, version",
]
  .join(", ")
  .split(", ");

const putLetter = `insert into ${own.letter} as l (source, partition, table_name, row_key, row_hash, op, tick, n, ordinal,
    schema_fingerprint, image, before_key, state, code, about, raw_error, attempts, max_attempts, due_at, waiting_for,
    history, first_failed_at, last_failed_at, version)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14::text, $15::text, $16, $17, $18,
    to_timestamp($19::double precision / 1000), $20, ${attempt}, clock_timestamp(), clock_timestamp(), $21)
  on conflict (source, row_hash) where state in ${live} do update set
    ${replaced.map((column) => `${column} = excluded.${column}`).join(", ")},
    history = ${newest("l.history || excluded.history")}
  returning id`;

/** Letters by the source's order, at most $1, and $2 bytes or a larger one: their sizes are looked at before they are read. */
function pageOfLetters(condition: string): string {
  return `select ${detailColumns} from ${own.letter} l where ${condition} and l.id in (
  select id from (
    select id, sum(bytes) over (order by tick, n, ordinal, id rows unbounded preceding) as through, bytes from (
      select l.id, l.tick, l.n, l.ordinal, ${detailBytes} as bytes from ${own.letter} l
       where ${condition} order by l.tick, l.n, l.ordinal, l.id limit $1) page) sized
   where through <= $2 or through = bytes) order by l.tick, l.n, l.ordinal, l.id for no key update of l`;
}
