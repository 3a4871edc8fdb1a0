import type { RowNote } from "@lockstep/core";
import { keyList, readKey } from "../key-text.js";
import { quoteName, quoteTable } from "../quote.js";
import type { Captured } from "../session.js";
import type { StructuredResult } from "../typeorm-internals.js";
import type { Write, WriteStatement } from "../write.js";
import { type InsertedValues, insertedValues } from "./inserted-values.js";
import { integerText } from "./keys-in-where.js";

/** Columns and values that find one row. */
interface Locator {
  readonly columns: readonly string[];
  readonly values: readonly unknown[];
}

/** Rows asked for in one SELECT. */
const rowsPerSelect = 200;

/**
 * An INSERT where the server doesn't return keys (type `mysql`): the key is in the values, or counted up from the insert id. Where rows
 * may have conflicted, they are looked up by every unique key that the values fill: the row that was updated is among them.
 */
export async function insertByValues(write: Write, statement: WriteStatement): Promise<Captured> {
  const { onUpdate, onIgnore, insertFromSelect } = write.builder.expressionMap;
  const sets = insertFromSelect ? undefined : insertedValues(write);
  const plan = sets && (onUpdate || onIgnore ? conflicting(write, sets) : plain(write, sets));
  if (!plan) write.refuse("an INSERT whose keys the server doesn't return");
  const result = await write.execute(statement.sql, statement.parameters);
  if (!plan) return { result, notes: [] };
  return { result, notes: await plan(headerOf(result)) };
}

interface Header {
  readonly insertId: number | bigint | string;
  readonly affectedRows: number;
}

function headerOf({ raw }: StructuredResult): Header {
  return raw as Header;
}

type Plan = (header: Header) => Promise<readonly RowNote[]>;

/** Every value set makes one row. */
function plain(write: Write, sets: readonly InsertedValues[]): Plan | undefined {
  const { keys, mysql } = write.table;
  const generated = sets.filter((set) => isGenerated(write, set));
  const known = sets.every((set) =>
    keys.every(({ name }) => set.has(name) || isGeneratedColumn(write, set, name)),
  );
  if (!known) return undefined;
  return async ({ insertId }) => {
    const step = BigInt(mysql?.incrementBy ?? 1);
    const full = sets.map((set) => {
      const place = generated.indexOf(set);
      if (place < 0) return set;
      // InnoDB hands one INSERT's rows consecutive ids, from the first.
      return new Map(set).set(mysql!.autoIncrement!, BigInt(insertId) + BigInt(place) * step);
    });
    const mixed = generated.length > 1 && generated.length < sets.length;
    const told = mixed ? undefined : textsOf(write, full);
    const found =
      told ??
      (await lookUp(
        write,
        full.map((set) =>
          locator(
            keys.map((key) => key.name),
            set,
          ),
        ),
      ));
    if (found.length < sets.length) return write.lost("an INSERT whose keys could not be read back");
    return found.map((key) => write.note("insert", key));
  };
}

/** Rows may have met others: found by unique keys, whatever happened to them. */
function conflicting(write: Write, sets: readonly InsertedValues[]): Plan | undefined {
  const uniqueKeys = write.table.mysql?.uniqueKeys ?? [];
  const locators = sets.map((set) =>
    uniqueKeys
      .filter((columns) => columns.every((name) => set.has(name)))
      .map((columns) => locator(columns, set)),
  );
  // A unique key with a column that the values leave to the database may conflict unseen.
  const unseen = sets.some((set) =>
    uniqueKeys.some((columns) =>
      columns.some((name) => !set.has(name) && name !== write.table.mysql?.autoIncrement),
    ),
  );
  const [only] = locators;
  const byInsertId = locators.length === 1 && only?.length === 0;
  if (unseen || (!byInsertId && locators.some((ways) => ways.length === 0))) return undefined;
  return async ({ insertId, affectedRows }) => {
    if (!byInsertId) return (await lookUp(write, locators.flat())).map((key) => write.note("update", key));
    return affectedRows === 0 ? [] : [write.note("update", [String(insertId)])];
  };
}

function isGeneratedColumn(write: Write, set: InsertedValues, name: string): boolean {
  return name === write.table.mysql?.autoIncrement && (!set.has(name) || set.get(name) === null);
}

function isGenerated(write: Write, set: InsertedValues): boolean {
  const column = write.table.mysql?.autoIncrement;
  return column !== undefined && isGeneratedColumn(write, set, column);
}

function locator(columns: readonly string[], set: InsertedValues): Locator {
  return { columns, values: columns.map((name) => set.get(name)) };
}

/** Keys whose text needs no asking: integers. */
function textsOf(write: Write, sets: readonly InsertedValues[]): string[][] | undefined {
  const { keys } = write.table;
  if (keys.some((key) => key.kind !== "integer")) return undefined;
  const texts = sets.map((set) => keys.map((key) => integerText(set.get(key.name))));
  return texts.every((key) => key.every((text) => text !== undefined)) ? (texts as string[][]) : undefined;
}

async function lookUp(write: Write, locators: readonly Locator[]): Promise<string[][]> {
  const { table, engine } = write;
  const found: string[][] = [];
  for (let from = 0; from < locators.length; from += rowsPerSelect) {
    const some = locators.slice(from, from + rowsPerSelect);
    const where = some.map(
      ({ columns }) => `(${columns.map((name) => `${quoteName(engine, name)} = ?`).join(" AND ")})`,
    );
    const rows = await write.select(
      `SELECT ${keyList(engine, table.keys)} FROM ${quoteTable(engine, table.table)} WHERE ${where.join(" OR ")}`,
      some.flatMap(({ values }) => values),
    );
    found.push(...rows.map((row) => readKey(table.keys, row)));
  }
  return found;
}
