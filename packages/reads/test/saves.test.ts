import { eventually, type FreshDatabase, freshMariaDb, freshPostgres } from "@lockstep/testing";
import { expect } from "chai";
import * as current from "typeorm";
import type { DataSource, EntityManager } from "typeorm";
import * as oldest from "typeorm-0.3.20";
import * as lastOfZero from "typeorm-0.3.31";
import { type Freshness, replicaReads, type ReplicaReads } from "../src/index.js";

const versions: readonly (readonly [version: string, typeorm: typeof current])[] = [
  ["1.1.1", current],
  ["0.3.31", lastOfZero as unknown as typeof current],
  ["0.3.20", oldest as unknown as typeof current],
];

interface Author {
  id: number;
  name: string;
  mood: string | null;
  books?: { id: number }[];
  tags?: { id: number }[];
  card?: { id: number } | null;
}

function entitiesOf({ EntitySchema }: typeof current) {
  const id = { type: Number, primary: true } as const;
  return [
    new EntitySchema<Author>({
      name: "author",
      columns: { id, name: { type: String }, mood: { type: String, nullable: true } },
      relations: {
        books: { type: "one-to-many", target: "book", inverseSide: "author", cascade: ["insert", "update"] },
        tags: { type: "many-to-many", target: "tag", joinTable: true },
        card: { type: "one-to-one", target: "card", inverseSide: "author" },
      },
    }),
    new EntitySchema<{ id: number; author: Author | null }>({
      name: "book",
      columns: { id },
      relations: {
        author: {
          type: "many-to-one",
          target: "author",
          inverseSide: "books",
          nullable: true,
          cascade: true,
        },
      },
    }),
    new EntitySchema({ name: "tag", columns: { id } }),
    new EntitySchema<{ id: number; author: Author | null }>({
      name: "card",
      columns: { id },
      relations: {
        author: {
          type: "one-to-one",
          target: "author",
          inverseSide: "card",
          joinColumn: true,
          nullable: true,
        },
      },
    }),
  ];
}

for (const kind of ["postgres", "mariadb"] as const) {
  for (const [version, typeorm] of versions) {
    describe(`saving what a replica that is behind had: ${kind}, TypeORM ${version}`, () => {
      let databases: readonly FreshDatabase[] = [];
      let primary: DataSource;
      let replica: DataSource;
      let reads: ReplicaReads;
      let holds = true;

      before(async () => {
        const fresh = kind === "postgres" ? freshPostgres : freshMariaDb;
        databases = await Promise.all([fresh(), fresh()]);
        [primary, replica] = (await Promise.all(
          databases.map(({ url }) =>
            new typeorm.DataSource({
              type: kind,
              url,
              entities: entitiesOf(typeorm),
              synchronize: true,
            }).initialize(),
          ),
        )) as [DataSource, DataSource];
        for (const { manager } of [primary, replica]) {
          await manager.save("tag", [{ id: 1 }, { id: 2 }]);
          const authors = [1, 2].map((id) => ({ id, name: `n${id}`, mood: "older" }));
          await manager.save("author", authors);
          await manager.save("book", [{ id: 1, author: { id: 1 } }]);
        }
        // The replica hasn't these yet.
        await primary.manager.save("book", [{ id: 2, author: { id: 1 } }]);
        await primary.manager.save("card", { id: 1, author: { id: 1 } });
        await primary.createQueryBuilder().relation("author", "tags").of(1).add([1, 2]);
        await primary.manager.update("author", { id: 1 }, { mood: "newer" });
        await primary.manager.delete("author", { id: 2 });
        const freshness: Freshness = {
          space: "older",
          mark: async () => "now",
          has: async () => holds,
          close: async () => undefined,
        };
        reads = replicaReads(primary, {
          replicas: { older: { dataSource: replica, freshness } },
          maxLagMs: 600_000,
          waitMs: 0,
        });
        await eventually(async () => reads.status().replicas["older"]!.state === "in", {
          what: "the replica in rotation",
        });
      });
      after(async () => {
        await reads?.[Symbol.asyncDispose]();
        for (const one of [primary, replica]) if (one?.isInitialized) await one.destroy();
        for (const database of databases) await database.drop();
      });

      const older = (relations: readonly string[] = [], more: object = {}) =>
        reads.read((manager) =>
          manager.findOneOrFail<Author>("author", {
            where: { id: 1 },
            relations: Object.fromEntries(relations.map((name) => [name, true])),
            ...more,
          }),
        );
      const refusal = async (work: Promise<unknown>): Promise<string> => {
        const error: unknown = await work.then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        expect(error).to.have.property("code", "STALE_ENTITY");
        return (error as Error).message;
      };
      /** What lies at the primary, but for the author's name. */
      const all = async () => {
        const { name, ...author } = await primary.manager.findOneByOrFail<Author>("author", { id: 1 });
        expect(name).to.be.a("string");
        const count = (query: string) => primary.query(query) as Promise<unknown>;
        return [
          author,
          await primary.manager.count("author"),
          await count("SELECT * FROM book ORDER BY id"),
          await count("SELECT * FROM card"),
          await count("SELECT * FROM author_tags_tag ORDER BY 1, 2"),
        ];
      };

      const ways: readonly (readonly [string, (entity: Author) => Promise<unknown>])[] = [
        ["save", (entity) => primary.manager.save("author", entity)],
        ["a repository", (entity) => primary.getRepository<Author>("author").save(entity)],
        ["a transaction", (entity) => primary.transaction((manager) => manager.save("author", [entity]))],
        ["a cascade", (entity) => primary.manager.save("book", { id: 1, author: entity })],
        ["softRemove", (entity) => primary.manager.softRemove("author", entity)],
        ["listeners: false", (entity) => primary.manager.save("author", entity, { listeners: false })],
      ];
      it("takes nothing out of a list, nor adds to it, whichever way it is saved", async () => {
        const before = await all();
        for (const [way, save] of ways) {
          for (const list of ["books", "tags", "card"] as const) {
            const entity = await older([list]);
            entity.name = way;
            expect(await refusal(save(entity)), way).to.contain(list);
          }
        }
        const apart = await older(["books", "tags"], { relationLoadStrategy: "query" });
        expect(apart.books).to.have.length(1);
        expect(await refusal(primary.manager.save("author", apart))).to.contain("books, tags");
        expect(await all()).to.deep.equal(before);
      });

      it("writes what was changed when the list is left out", async () => {
        const before = await all();
        const entity = await older(["books"]);
        delete entity.books;
        entity.name = "changed";
        entity.mood = "newer";
        await primary.manager.save("author", entity);
        expect(await primary.manager.findOneBy("author", { id: 1 })).to.include({ name: "changed" });
        expect(await all()).to.deep.equal(before);
      });

      it("brings no row back that the primary has no more; under another key it is a new one", async () => {
        const gone = await reads.read((manager) => manager.findOneByOrFail<Author>("author", { id: 2 }));
        gone.name = "back";
        expect(await refusal(primary.manager.save("author", gone))).to.contain(
          "the primary doesn't have its row",
        );
        expect(await primary.manager.countBy("author", { id: 2 })).to.equal(0);
        gone.id = 3;
        await primary.manager.save("author", gone);
        expect(await primary.manager.countBy("author", { id: 3 })).to.equal(1);
        await primary.manager.delete("author", { id: 3 });
      });

      it("a save without listeners, which nothing sees, is refused", async () => {
        const entity = await older();
        const silent = primary.manager.save("author", Object.assign(entity, { name: "silent" }), {
          listeners: false,
        });
        expect(await refusal(silent)).to.contain("listeners");
      });

      it("goes on after both DataSources were destroyed and initialized again", async () => {
        for (const one of [primary, replica]) await one.destroy();
        expect(reads.status().replicas["older"]!.reason).to.contain("isn't initialized");
        for (const one of [primary, replica]) await one.initialize();
        await eventually(async () => reads.status().replicas["older"]!.state === "in", { what: "in again" });
        const entity = await older();
        entity.name = "after";
        expect(await refusal(primary.manager.save("author", entity))).to.contain("mood");
        holds = false;
        await reads.request(async () => {
          await primary.manager.update("author", { id: 1 }, { name: "mine" });
          const read = (manager: EntityManager) => manager.findOneByOrFail<Author>("author", { id: 1 });
          expect((await reads.read(read)).name).to.equal("mine");
        });
        holds = true;
      });
    });
  }
}
