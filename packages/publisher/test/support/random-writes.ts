import type { EntityManager, ObjectLiteral } from "typeorm";
import type { Source } from "./open-source.js";

/** A write that never fails, whatever the tables hold. `pick` chooses among what is there; `tag` marks what it writes. */
export type RandomWrite = (context: {
  readonly source: Source;
  readonly manager: EntityManager;
  readonly tag: string;
  readonly fresh: () => string;
  readonly pick: number;
}) => Promise<unknown>;

const emails = ["a", "b", "c", "d", "e", "f"];
const slugs = ["s", "t", "u", "v"];

// A bigint comes back as a text, and TypeORM compares keys by ===: given as numbers, rows of composite keys would look new.
/** Writes by name. */
export const randomWrites: Readonly<Record<string, RandomWrite>> = {
  "save author": ({ source: s, manager: m, tag, fresh }) => m.save(s.Author, { email: fresh(), name: tag }),
  "save author with posts": ({ source: s, manager: m, tag, fresh, pick }) =>
    m.save(s.Author, {
      email: fresh(),
      name: tag,
      posts: [{ title: tag, tags: [{ slug: slugs[pick % 4]!, label: tag }] }, { title: tag }],
    } as never),
  "insert authors": ({ source: s, manager: m, tag, fresh }) =>
    m.insert(s.Author, [
      { email: fresh(), name: tag },
      { email: fresh(), name: tag },
    ]),
  "upsert authors": ({ source: s, manager: m, tag, pick }) =>
    m.upsert(
      s.Author,
      [0, 1, 2].map((n) => ({ email: emails[(pick + n) % 6]!, name: tag })),
      ["email"],
    ),
  "insert or ignore": ({ source: s, manager: m, tag, pick }) =>
    m
      .createQueryBuilder()
      .insert()
      .into(s.Author)
      .values([0, 1].map((n) => ({ email: emails[(pick + n) % 6]!, name: tag })))
      .orIgnore()
      // On type mysql TypeORM fails by itself when every row was ignored.
      .updateEntity(false)
      .execute(),
  "save loaded author": async ({ source: s, manager: m, tag, pick }) => {
    const author = await some(m, s.Author, pick);
    if (author) await m.save(s.Author, { id: author["id"], name: tag });
  },
  "update authors": ({ source: s, manager: m, tag, pick }) =>
    m.update(s.Author, { email: emails[pick % 6]! }, { name: tag }),
  increment: ({ source: s, manager: m, pick }) =>
    m.increment(s.Author, { email: emails[pick % 6]! }, "counter", 1),
  "remove author": async ({ source: s, manager: m, pick }) => {
    const author = await some(m, s.Author, pick);
    if (!author) return;
    await m.update(s.Post, { author: { id: author["id"] } }, { author: null });
    await m.remove(s.Author, author as InstanceType<typeof s.Author>);
  },
  "save post": ({ source: s, manager: m, tag }) => m.save(s.Post, { title: tag }),
  "soft delete": async ({ source: s, manager: m, pick }) => {
    const post = await some(m, s.Post, pick);
    if (post) await m.softDelete(s.Post, post["id"]);
  },
  restore: ({ source: s, manager: m }) => m.createQueryBuilder().restore().from(s.Post).execute(),
  "delete post": async ({ source: s, manager: m, pick }) => {
    const post = await some(m, s.Post, pick);
    if (post) await m.delete(s.Post, { id: post["id"] });
  },
  "set tags": async ({ source: s, manager: m, tag, pick }) => {
    const post = await some(m, s.Post, pick);
    if (post)
      await m.save(s.Post, { id: post["id"], title: tag, tags: [{ slug: slugs[pick % 4]!, label: tag }] });
  },
  "upsert tag": ({ source: s, manager: m, tag, pick }) =>
    m.upsert(s.Tag, [{ slug: slugs[pick % 4]!, label: tag }], ["slug"]),
  "rename tag": ({ source: s, manager: m, fresh, pick }) =>
    m.update(s.Tag, { slug: slugs[pick % 4]! }, { slug: fresh() }),
  "delete tag": ({ source: s, manager: m, pick }) => m.delete(s.Tag, { slug: slugs[pick % 4]! }),
  "save lines": ({ source: s, manager: m, pick }) =>
    m.save(
      s.Line,
      [0, 1].map((n) => ({ orderNo: String(pick % 3), sku: slugs[(pick + n) % 4]!, quantity: pick % 100 })),
    ),
  "move line": ({ source: s, manager: m, fresh, pick }) =>
    m.update(s.Line, { orderNo: String(pick % 3), sku: slugs[pick % 4]! }, { sku: fresh() }),
  "save maker": ({ source: s, manager: m, tag, pick }) =>
    m.save(s.Maker, { code: slugs[pick % 4]!, label: tag }),
  "save model and part": async ({ source: s, manager: m, tag, fresh, pick }) => {
    const code = slugs[pick % 4]!;
    await m.save(s.Maker, { code, label: tag });
    await m.save(s.Model, { makerCode: code, name: fresh() });
    const model = await some(m, s.Model, pick);
    if (model) await m.upsert(s.Part, [{ id: pick % 5, model }], ["id"]);
  },
  "move maker": ({ source: s, manager: m, fresh, pick }) =>
    m.update(s.Maker, { code: slugs[pick % 4]! }, { code: fresh() }),
  "delete maker": ({ source: s, manager: m, pick }) => m.delete(s.Maker, { code: slugs[pick % 4]! }),
  "grow and cut the tree": async ({ source: s, manager: m, pick }) => {
    for (const id of [1, 2, 3])
      await m.save(s.Branch, { id: id + (pick % 2), ...(id > 1 && { parent: { id: id - 1 + (pick % 2) } }) });
    await m.delete(s.Branch, 1 + (pick % 4));
  },
};

async function some(
  m: EntityManager,
  entity: new () => ObjectLiteral,
  pick: number,
): Promise<ObjectLiteral | undefined> {
  const rows = await m.find(entity, { withDeleted: true });
  return rows.length === 0 ? undefined : rows[pick % rows.length];
}
