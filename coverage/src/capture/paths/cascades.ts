import { type Family, posts } from "./write-path.js";

/** Writes that reach other entities through relations. */
export const cascades: Family = {
  title: "Relations and cascades",
  paths: [
    {
      name: "cascade insert through two levels and a many-to-many",
      write: ({ entities: { Author, Post, Tag } }, m) => {
        const post = m.create(Post, { title: "deep", tags: [m.create(Tag, { slug: "deep", label: "D" })] });
        return m.save(m.create(Author, { email: "deep", posts: [post, m.create(Post, { title: "flat" })] }));
      },
    },
    {
      name: "cascade update",
      async write({ entities: { Author } }, m) {
        const author = await m.findOneOrFail(Author, { where: { id: 1 }, relations: { posts: true } });
        for (const post of author.posts) post.title += "!";
        await m.save(author);
      },
    },
    {
      name: "cascade insert through many-to-one",
      write: ({ entities: { Post, Author } }, m) =>
        m.save(Post, { title: "child first", author: m.create(Author, { email: "parent" }) }),
    },
    {
      name: "one-to-one: new, taken away",
      async write({ entities: { Author } }, m) {
        await m.save(Author, { id: 3, profile: { bio: "new" } });
        await m.save(Author, { id: 2, profile: null });
      },
    },
    {
      name: "many-to-one set, changed and nulled",
      async write({ entities: { Post } }, m) {
        await m.save(Post, { id: posts.first, author: { id: 2 } });
        await m.save(Post, { id: posts.second, author: null });
      },
    },
    {
      name: "orphanedRowAction nullify",
      write: ({ entities: { Author } }, m) => m.save(Author, { id: 1, posts: [{ id: posts.first }] }),
    },
    {
      name: "orphanedRowAction delete",
      write: ({ entities: { Post } }, m) => m.save(Post, { id: posts.first, comments: [{ id: 1 }] }),
    },
    {
      name: "orphanedRowAction soft-delete",
      write: ({ entities: { Post } }, m) => m.save(Post, { id: posts.first, notes: [{ id: 1 }] }),
    },
    {
      name: "orphanedRowAction disable",
      changesNothing: true,
      write: ({ entities: { Post } }, m) => m.save(Post, { id: posts.first, pins: [] }, { listeners: false }),
    },
    {
      name: "cascade remove through one-to-many",
      missing: ({ version }) =>
        version < "1" ? "TypeORM deletes the parent before its children" : undefined,
      async write({ entities: { Post } }, m) {
        await m.remove(
          await m.findOneOrFail(Post, { where: { id: posts.first }, relations: { pins: true } }),
        );
      },
    },
    {
      name: "cascade remove through many-to-one",
      async write({ entities: { Dog } }, m) {
        await m.remove(await m.findOneOrFail(Dog, { where: { id: 2 }, relations: { owner: true } }));
      },
    },
    {
      name: "cascade soft-remove",
      async write({ entities: { Post } }, m) {
        await m.softRemove(
          await m.findOneOrFail(Post, {
            where: { id: posts.first },
            relations: { comments: true, notes: true },
          }),
        );
      },
    },
    {
      name: "cascade recover",
      async write({ entities: { Post } }, m) {
        await m.recover(
          await m.findOneOrFail(Post, {
            where: { id: posts.second },
            relations: { comments: true },
            withDeleted: true,
          }),
        );
      },
    },
    {
      name: "many-to-many: replaced, added, emptied",
      async write({ entities: { Post } }, m) {
        await m.save(Post, { id: posts.first, tags: [{ slug: "z" }] });
        await m.save(Post, {
          id: posts.second,
          tags: [{ slug: "x" }, { slug: "y" }, { slug: "new", label: "N" }],
        });
        await m.save(Post, { id: posts.first, tags: [] });
      },
    },
    {
      name: "many-to-many from the inverse side",
      write: ({ entities: { Tag } }, m) => m.save(Tag, { slug: "z", posts: [{ id: posts.second }] }),
    },
    {
      name: "many-to-many with itself",
      write: ({ entities: { Person } }, m) =>
        m.save(Person, { id: 1, friends: [{ id: 3 }, { name: "Dan" }] }),
    },
    {
      name: "lazy relations",
      async write({ entities: { Book, Page } }, m) {
        const book = await m.findOneByOrFail(Book, { id: 1 });
        const [first] = await book.pages;
        book.pages = Promise.resolve([first!, m.create(Page, { number: 3 })]);
        await m.save(book);
      },
    },
    ...relationBuilder(),
  ],
};

function relationBuilder(): Family["paths"] {
  return [
    {
      name: "relation query builder: add, remove and addAndRemove of many-to-many",
      async write({ entities: { Post } }, m) {
        const tags = () => m.createQueryBuilder().relation(Post, "tags").of(posts.first);
        await tags().add("z");
        await tags().remove("x");
        await tags().addAndRemove(["x"], ["y"]);
      },
    },
    {
      name: "relation query builder: add and remove of one-to-many",
      async write({ entities: { Author } }, m) {
        const of = (id: number) => m.createQueryBuilder().relation(Author, "posts").of(id);
        await of(3).add(posts.first);
        await of(1).remove(posts.second);
      },
    },
    {
      name: "relation query builder: set and unset of many-to-one",
      async write({ entities: { Post } }, m) {
        const author = (id: string) => m.createQueryBuilder().relation(Post, "author").of(id);
        await author(posts.first).set(2);
        await author(posts.second).set(null);
      },
    },
  ];
}
