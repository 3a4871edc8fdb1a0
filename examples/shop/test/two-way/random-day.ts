import type { StarRig } from "./star.js";

const keys = 8;

/** Writes at random nodes, in transactions that are sometimes rolled back, while nodes are cut off and come back. Repeatable by its seed, but for the servers' timing. */
export async function randomDay(star: StarRig, seed: number, steps: number): Promise<void> {
  const random = numbers(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const nodes = [...star.nodes.keys()];
  for (let step = 0; step < steps; step++) {
    if (random() < 0.08) await star.cut(pick(nodes));
    if (random() < 0.2) await star.heal(pick(nodes));
    const node = pick(nodes);
    const id = 100 + Math.floor(random() * keys);
    const statements = Array.from({ length: 1 + Math.floor(random() * 2) }, () =>
      statementOf(star.isPostgres(node), random(), id, `${node} ${step}`),
    );
    await inTransaction(star, node, statements, random() < 0.15);
  }
  for (const node of nodes) await star.heal(node);
}

function statementOf(isPostgres: boolean, chance: number, id: number, name: string): string {
  if (chance < 0.2) return `delete from stock where id = ${id}`;
  if (chance < 0.5) return `update stock set amount = amount + 1 where id = ${id}`;
  if (chance < 0.6) return `update stock set name = '${name}' where id in (${id}, ${id === 100 ? 101 : 100})`;
  const insert = `insert into stock values (${id}, '${name}', 1)`;
  return isPostgres
    ? `${insert} on conflict (id) do update set name = excluded.name`
    : `${insert} on duplicate key update name = values(name)`;
}

async function inTransaction(
  star: StarRig,
  node: string,
  statements: readonly string[],
  isTakenBack: boolean,
): Promise<void> {
  const runner = star.source(node).createQueryRunner();
  try {
    await runner.startTransaction();
    for (const statement of statements) await runner.query(statement);
    await (isTakenBack ? runner.rollbackTransaction() : runner.commitTransaction());
  } catch {
    // It met a lane at the same rows: what it wrote is gone, as it is for any application.
    await runner.rollbackTransaction().catch(() => undefined);
  } finally {
    await runner.release();
  }
}

/** Numbers in [0, 1) by a seed (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
