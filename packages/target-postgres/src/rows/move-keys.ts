import type { RowWrite } from "@lockstep/core";
import type { PostgresTable } from "../tables/postgres-table.js";
import { keyArrays } from "./keys.js";
import { quoteName } from "../sql/quote.js";
import { refuseReferenced, removeRows } from "./remove.js";
import { matches, rowSource } from "./row-source.js";
import type { RunInStep } from "./statements.js";

/** A write whose key changed. */
export type KeyMove = RowWrite & { readonly before: string };

/** Those of these writes that change a key. */
export function keyMoves(writes: readonly RowWrite[]): readonly KeyMove[] {
  return writes.filter((write): write is KeyMove => write.before !== undefined && write.before !== write.key);
}

/**
 * Gives rows their new keys (PROTOCOL.md 16); their other columns follow by the upsert, which also inserts what wasn't there.
 * A row that stands on a new key and isn't moved itself is an older one that the source no longer has: the row that moves
 * there takes its place.
 */
export async function moveKeys(
  run: RunInStep,
  table: PostgresTable,
  moves: readonly KeyMove[],
): Promise<void> {
  const leaving = new Set(moves.map(({ before }) => before));
  const taken = await keysThere(
    run,
    table,
    moves.map(({ key }) => key).filter((key) => !leaving.has(key)),
  );
  await removeRows(
    run,
    table,
    moves.filter(({ key }) => taken.has(key)).map(({ before }) => before),
  );
  const free = moves.filter(({ key }) => !taken.has(key));
  if (free.length === 0) return;
  const overlapping = free.some(({ key }) => leaving.has(key));
  const canUpdate = !table.key.some(({ catalog }) => catalog.identityAlways);
  if (canUpdate && !overlapping) return update(run, table, free);
  if (table.cascading.length === 0 || !canUpdate) return takeOutAndPutBack(run, table, free);
  // In the source's order a chain of keys is free from its end; a ring isn't, and is refused here.
  for (const move of free) await update(run, table, [move]);
}

async function keysThere(
  run: RunInStep,
  table: PostgresTable,
  keys: readonly string[],
): Promise<ReadonlySet<string>> {
  if (keys.length === 0) return new Set();
  const source = rowSource(table.key);
  const text = `select s.n from ${source.numbered} where exists (select from ${table.quoted} t where ${matches(table.key, source.values)})`;
  const [answer] = await run([{ text, values: keyArrays(table, keys), prepared: true }]);
  return new Set(answer!.rows.map(([n]) => keys[Number(n) - 1]!));
}

async function update(run: RunInStep, table: PostgresTable, moves: readonly KeyMove[]): Promise<void> {
  const { columns, from, was, is } = pairs(table);
  const set = columns.map(({ quoted }, i) => `${quoted} = ${is[i]!}`);
  const text = `update ${table.quoted} t set ${set.join(", ")} from ${from} where ${matches(columns, was)}`;
  await run([{ text, values: pairValues(table, moves), prepared: true }]);
}

/**
 * Chains and rings: an UPDATE would meet keys that are only about to be left. Rows are taken out, all of them (hence the
 * sort, which waits for the last), and put back under their new keys in the same statement, at whose end foreign keys are checked.
 */
async function takeOutAndPutBack(
  run: RunInStep,
  table: PostgresTable,
  moves: readonly KeyMove[],
): Promise<void> {
  await refuseReferenced(
    run,
    table,
    moves.map(({ before }) => before),
  );
  const { columns, from, was, is } = pairs(table);
  const rest = table.catalog.columns.filter(
    ({ name, generated }) => !generated && !table.schema.key.includes(name),
  );
  const restNames = rest.map(({ name }) => quoteName(name));
  const keyNames = columns.map(({ quoted }) => quoted);
  const text = `with old as (delete from ${table.quoted} t using ${from} where ${matches(columns, was)}
      returning ${[...is.map((value, i) => `${value} as k${i}`), ...restNames.map((name) => `t.${name}`)].join(", ")})
    insert into ${table.quoted} (${[...keyNames, ...restNames].join(", ")}) overriding system value
    select ${[...is.map((_, i) => `o.k${i}`), ...restNames.map((name) => `o.${name}`)].join(", ")}
    from (select * from old order by k0) o`;
  await run([{ text, values: pairValues(table, moves) }]);
}

/** Old and new keys side by side: `s` is a source of both. */
function pairs(table: PostgresTable): {
  readonly columns: PostgresTable["key"];
  readonly from: string;
  readonly was: readonly string[];
  readonly is: readonly string[];
} {
  const { from, values } = rowSource([...table.key, ...table.key]);
  const half = table.key.length;
  return { columns: table.key, from, was: values.slice(0, half), is: values.slice(half) };
}

function pairValues(table: PostgresTable, moves: readonly KeyMove[]): readonly string[] {
  return [
    ...keyArrays(
      table,
      moves.map(({ before }) => before),
    ),
    ...keyArrays(
      table,
      moves.map(({ key }) => key),
    ),
  ];
}
