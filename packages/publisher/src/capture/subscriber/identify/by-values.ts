import type { RowNote } from "@lockstep/core";
import type { Captured } from "../session.js";
import type { StructuredResult } from "../typeorm-internals.js";
import type { BuilderWrite, WriteStatement } from "../write.js";
import { type InsertedValues, insertedValues } from "./inserted-values.js";
import { integerText } from "./key-in-where.js";
import { fills, locator, lookUp } from "./look-up.js";

/**
 * An INSERT where the server doesn't return keys (type `mysql`): the key is in the values, or counted up from the insert id. Where rows
 * may have conflicted, they are looked up by every unique key that the values fill: the row that was updated is among them.
 */
export async function insertByValues(write: BuilderWrite, statement: WriteStatement): Promise<Captured> {
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
function plain(write: BuilderWrite, sets: readonly InsertedValues[]): Plan | undefined {
  const { keys, mysql } = write.table;
  const primary = keys.map((key) => key.name);
  const generated = sets.filter((set) => isGenerated(write, set));
  // Given and generated ids in one INSERT: how the server counts on after a given one differs by version.
  const mixed = generated.length > 0 && generated.length < sets.length;
  const ways = sets.map((set) =>
    !mixed && isGenerated(write, set)
      ? primary
      : [primary, ...(mysql?.uniqueKeys ?? [])].find((key) => fills(set, key)),
  );
  if (!ways.every((way) => way !== undefined)) return undefined;
  return async ({ insertId }) => {
    const step = BigInt(mysql?.incrementBy ?? 1);
    const full = sets.map((set, index) =>
      // InnoDB hands the rows of one INSERT consecutive ids, from the first.
      isGenerated(write, set) && !mixed
        ? new Map(set).set(mysql!.autoIncrement!, BigInt(insertId) + BigInt(index) * step)
        : set,
    );
    const told = mixed ? undefined : textsOf(write, full);
    const found =
      told ??
      (await lookUp(
        write,
        full.map((set, index) => locator(ways[index]!, set)),
      ));
    if (found.length < sets.length) return write.lost("an INSERT whose keys could not be read back");
    return found.map((key) => write.note("insert", key));
  };
}

/** Rows may have met others: found by unique keys, whatever happened to them. */
function conflicting(write: BuilderWrite, sets: readonly InsertedValues[]): Plan | undefined {
  const { uniqueKeys = [], autoIncrement } = write.table.mysql ?? {};
  const locators = sets.map((set) =>
    uniqueKeys.filter((columns) => fills(set, columns)).map((columns) => locator(columns, set)),
  );
  // A unique key with a column that the values leave to the database may conflict unseen.
  const unseen = sets.some((set) =>
    uniqueKeys.flat().some((name) => !set.has(name) && name !== autoIncrement),
  );
  const byInsertId = locators.length === 1 && locators[0]?.length === 0;
  if (unseen || (!byInsertId && locators.some((ways) => ways.length === 0))) return undefined;
  return async ({ insertId, affectedRows }) => {
    if (!byInsertId) return (await lookUp(write, locators.flat())).map((key) => write.note("update", key));
    return affectedRows === 0 ? [] : [write.note("update", [String(insertId)])];
  };
}

function isGenerated({ table }: BuilderWrite, set: InsertedValues): boolean {
  const column = table.mysql?.autoIncrement;
  return column !== undefined && table.keys.some(({ name }) => name === column) && set.get(column) == null;
}

/** Keys whose text needs no asking: integers. */
function textsOf(write: BuilderWrite, sets: readonly InsertedValues[]): string[][] | undefined {
  const { keys } = write.table;
  if (keys.some((key) => key.kind !== "integer")) return undefined;
  const texts = sets.map((set) => keys.map((key) => integerText(set.get(key.name))));
  return texts.every((key) => key.every((text) => text !== undefined)) ? (texts as string[][]) : undefined;
}
