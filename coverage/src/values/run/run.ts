import type { Engine, TableReader } from "@lockstep/core";
import { freshMariaDb, freshPostgres, freshRedis, type FreshDatabase } from "@lockstep/testing";
import { mysqlTypes } from "../mysql/index.js";
import { postgresTypes } from "../postgres/index.js";
import { type DigestOf, digestsOf, sourceReader } from "./digests.js";
import { judge, type Verdict } from "./judge.js";
import { openTarget, type TargetOnTrial } from "./lane-on.js";
import { openTextReader, type TextReader, type Texts } from "./read-texts.js";
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
  /** What verify says of it. */
  readonly digest: ReturnType<DigestOf>;
}

const engines = ["postgres", "mysql"] as const satisfies readonly Engine[];
const types = { postgres: postgresTypes, mysql: mysqlTypes };

/** Sends every value of an engine's table through one capture to both kinds of target. */
export async function runValues(from: Engine, capture: Capture): Promise<readonly Cell[]> {
  const tables = tablesOf(types[from]);
  await using ways = await openWays(from, capture, tables);
  return await ways.send(tables);
}

/** A source with one capture, and a target of each kind that follows it. */
export interface Ways extends AsyncDisposable {
  /** Writes the values of these tables, as new rows and then as changed ones, and says what became of each. */
  send(tables: readonly TypeOnTrial[]): Promise<readonly Cell[]>;
}

/** Opens databases, capture, relay and lanes in this process. */
export async function openWays(
  from: Engine,
  capture: Capture,
  tables: readonly TypeOnTrial[],
): Promise<Ways> {
  const stack = new Closing();
  const redis = stack.drop(await freshRedis());
  const database = stack.drop(await fresh(from));
  const source = stack.use(await openSource(database.url, redis.url, capture, tables));
  const reader = stack.use(await openTextReader(database.url));
  const tableReader = sourceReader(database.url);
  stack.use({ [Symbol.asyncDispose]: () => tableReader.close() });
  const namespace = from === "postgres" ? "public" : new URL(database.url).pathname.slice(1);
  const targets: TargetOnTrial[] = [];
  for (const to of engines) {
    const { url } = stack.drop(await fresh(to));
    targets.push(stack.use(await openTarget(url, redis.url)));
  }
  await Promise.all(targets.map((target) => target.registered()));
  let marks = 0;
  const arrived = async (): Promise<void> => {
    await source.mark(++marks);
    await Promise.all(targets.map((target) => target.reached(marks)));
  };
  return {
    async send(sent) {
      await source.insert(sent);
      await arrived();
      const inserted = await lookAt(reader, targets, { from, capture, tables: sent, tableReader, namespace });
      await source.touch(sent);
      await arrived();
      const updated = await lookAt(reader, targets, { from, capture, tables: sent, tableReader, namespace });
      return inserted.map((cell, i) => worse(cell, updated[i]!));
    },
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

interface Trial {
  readonly from: Engine;
  readonly capture: Capture;
  readonly tableReader: TableReader;
  readonly namespace: string;
  readonly tables: readonly TypeOnTrial[];
}

async function lookAt(
  source: TextReader,
  targets: readonly TargetOnTrial[],
  { from, capture, tables, tableReader, namespace }: Trial,
): Promise<Cell[]> {
  const sources = new Map<string, Texts>();
  for (const { name } of tables) sources.set(name, (await source.texts(name))!);
  const cells: Cell[] = [];
  for (const { reader, letters, tables: targetTables } of targets) {
    const refused = await letters();
    const to = reader.engine;
    for (const { name, group, type, values } of tables) {
      const arrived = await reader.texts(name);
      const targetType = await reader.typeOf(name);
      const digest = await digestsOf(tableReader, targetTables, namespace, name);
      const about = { capture, from, to, group, type: type.type, table: name, targetType };
      for (const [id, value] of values) {
        const letter = refused.get(`${name} ${id}`)?.code;
        const finding = { source: sources.get(name)!.get(id)!, target: arrived?.get(id), letter };
        cells.push({ ...about, value, verdict: judge(type, from, to, finding), digest: digest(id) });
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
class Closing implements AsyncDisposable {
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
