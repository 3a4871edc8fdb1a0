import { either, type Family, only, since } from "./write-path.js";

/** Statements that no query builder made. */
export const byHand: Family = {
  title: "Raw SQL, TRUNCATE, views, other programs",
  paths: [
    {
      name: "manager.query with INSERT",
      write: (_, m) => m.query("INSERT INTO tag (slug, label) VALUES ('raw', 'raw')"),
    },
    { name: "manager.query with UPDATE", write: (_, m) => m.query("UPDATE tag SET label = 'raw'") },
    {
      name: "manager.query with DELETE",
      write: (_, m) => m.query("DELETE FROM reading WHERE value = 1"),
    },
    {
      name: 'manager.query with UPDATE, `onBlindWrite: "error"`',
      door: "strict",
      write: (_, m) => m.query("UPDATE tag SET label = 'raw'"),
    },
    {
      name: "repository.query and queryRunner.query with UPDATE",
      write: ({ entities }, m) => m.getRepository(entities.Tag).query("UPDATE tag SET label = 'raw'"),
    },
    {
      name: "sql`…` with UPDATE",
      missing: since("0.3.31"),
      write: ({ entities }, m) => m.getRepository(entities.Tag).sql`UPDATE tag SET label = ${"raw"}`,
    },
    {
      name: "manager.query with a CTE that writes",
      missing: only(["postgres"], "the database has no CTE that writes"),
      write: (_, m) =>
        m.query("WITH c AS (UPDATE tag SET label = 'raw' RETURNING slug) SELECT count(*) FROM c"),
    },
    {
      name: "a SELECT query builder with a CTE that writes",
      missing: only(["postgres"], "the database has no CTE that writes"),
      write: (_, m) =>
        m
          .createQueryBuilder()
          .select("c.slug", "slug")
          .addCommonTableExpression("UPDATE tag SET label = 'raw' RETURNING slug", "c")
          .from("c", "c")
          .getRawMany(),
    },
    {
      name: "manager.query with several statements in one string",
      missing: only(["postgres"], "the driver sends one statement at a time"),
      write: (_, m) => m.query("SELECT 1; UPDATE tag SET label = 'raw'"),
    },
    {
      name: "a function that writes",
      beyond: "the database writes by itself",
      write: (_, m) => m.query("SELECT relabel_by_function()"),
    },
    {
      name: "a procedure that writes",
      beyond: "the database writes by itself",
      write: (_, m) => m.query("CALL relabel()"),
    },
    {
      name: "REPLACE by hand",
      missing: only(["mariadb", "mysql"], "not in PostgreSQL"),
      write: (_, m) => m.query("REPLACE INTO plain (code, label) VALUES ('p', 'replaced')"),
    },
    {
      name: "repository.clear",
      write: ({ entities }, m) => m.getRepository(entities.Reading).clear(),
    },
    {
      name: "manager.clear with `cascade`",
      missing: either(since("1.1.1"), only(["postgres"], "only on PostgreSQL")),
      write: ({ entities }, m) => m.clear(entities.Maker, { cascade: true }),
    },
    {
      name: 'repository.clear, `bulkWrites: "allow"`',
      door: "lenient",
      ownTransaction: true,
      write: ({ entities }, m) => m.getRepository(entities.Reading).clear(),
    },
    {
      name: "TRUNCATE by hand",
      write: (_, m) => m.query("TRUNCATE TABLE reading"),
    },
    {
      name: "update through an entity that maps a view",
      write: ({ entities }, m) => m.update(entities.Wide, { code: "p" }, { label: "through a view" }),
    },
    {
      name: "another program",
      beyond: "another program writes",
      ownTransaction: true,
      write: ({ side }) => side.run("UPDATE tag SET label = 'psql'"),
    },
  ],
};
