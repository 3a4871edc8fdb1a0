import type { Engine } from "@lockstep/core";
import { freshMariaDb, freshPostgres, freshRedis, type FreshDatabase } from "@lockstep/testing";
import { mysqlTypes } from "../mysql/index.js";
import { postgresTypes } from "../postgres/index.js";
import { judge, type Verdict } from "./judge.js";
import { openTarget, type TargetOnTrial } from "./lane-on.js";
import { openTextReader, type TextReader } from "./read-texts.js";
import { type Capture, openSource, tablesOf, type TypeOnTrial } from "./source.js";

/** One value on one way: capture, source, target. */
export interface Cell {
  readonly capture: Capture;
  readonly from: Engine;
  readonly to: Engine;
  readonly group: string;
  readonly type: string;
  /** Number of the type among those of its engine. */
  readonly table: string;
  /** The expression that wrote it. */
  readonly value: string;
  /** Type of the column in the target. */
  readonly targetType: string;
  readonly verdict: Verdict;
}

const engines = ["postgres", "mysql"] as const satisfies readonly Engine[];
const types = { postgres: postgresTypes, mysql: mysqlTypes };

/** Sends every value of an engine through one capture to both kinds of target, as a new row and as a changed one. */
export async function runValues(from: Engine, capture: Capture): Promise<readonly Cell[]> {
  await using stack = new AsyncDisposableList();
  const redis = stack.drop(await freshRedis());
  const database = stack.drop(await fresh(from));
  const tables = tablesOf(types[from]);
  const source = stack.use(await openSource(database.url, redis.url, capture, tables));
  const reader = stack.use(await openTextReader(database.url));
  const targets: TargetOnTrial[] = [];
  for (const to of engines) {
    const { url } = stack.drop(await fresh(to));
    targets.push(stack.use(await openTarget(url, redis.url)));
  }
  for (const target of targets) await target.registered();
  await source.insert();
  await source.mark(1);
  for (const target of targets) await target.reached(1);
  const inserted = await lookAt(reader, targets, { from, capture, tables });
  await source.touch();
  await source.mark(2);
  for (const target of targets) await target.reached(2);
  const updated = await lookAt(reader, targets, { from, capture, tables });
  return inserted.map((cell, i) => worse(cell, updated[i]!));
}

interface Trial {
  readonly from: Engine;
  readonly capture: Capture;
  readonly tables: readonly TypeOnTrial[];
}

async function lookAt(
  source: TextReader,
  targets: readonly TargetOnTrial[],
  { from, capture, tables }: Trial,
): Promise<Cell[]> {
  const cells: Cell[] = [];
  for (const { reader, letters } of targets) {
    const refused = await letters();
    for (const { name, group, type, values } of tables) {
      const sources = (await source.texts(name))!;
      const arrived = (await reader.texts(name)) ?? new Map<string, string | null>();
      const to = reader.engine;
      const about = { capture, from, to, group, type: type.type, table: name };
      const targetType = await reader.typeOf(name);
      for (const [id, value] of values) {
        const finding = {
          source: sources.get(id)!,
          target: arrived.get(id),
          letter: refused.get(`${name} ${id}`)?.code,
        };
        cells.push({ ...about, value, targetType, verdict: judge(type, from, to, finding) });
      }
    }
  }
  return cells;
}

// A value must arrive alike as a new row and as a changed one.
function worse(inserted: Cell, updated: Cell): Cell {
  if (updated.verdict.is === inserted.verdict.is || inserted.verdict.is === "wrong") return inserted;
  const why = updated.verdict.is === "wrong" ? updated.verdict.why : "arrives otherwise";
  return { ...inserted, verdict: { is: "wrong", why: `after an update: ${why}` } };
}

function fresh(engine: Engine): Promise<FreshDatabase> {
  return engine === "postgres" ? freshPostgres() : freshMariaDb();
}

/** Ends things in the opposite order of their making. */
class AsyncDisposableList implements AsyncDisposable {
  readonly #ends: (() => PromiseLike<void>)[] = [];

  use<T extends AsyncDisposable>(thing: T): T {
    this.#ends.push(() => thing[Symbol.asyncDispose]());
    return thing;
  }

  drop(database: FreshDatabase): FreshDatabase {
    this.#ends.push(() => database.drop());
    return database;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends.toReversed()) await end();
  }
}
