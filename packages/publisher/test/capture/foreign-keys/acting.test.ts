import { expect } from "chai";
import { type ActingSource, openActing } from "./acting-source.js";

const schema = [
  "create table post (id bigint primary key, title varchar(20))",
  "create table tag (id int primary key)",
  `create table post_tag (post bigint, tag int, primary key (post, tag), key (tag),
    foreign key (post) references post (id) on delete cascade on update cascade, foreign key (tag) references tag (id) on delete cascade on update cascade)`,
  "create table country (id int primary key)",
  "create table city (id int primary key, country int, foreign key (country) references country (id) on delete cascade)",
  "create table street (id int primary key, city int not null, foreign key (city) references city (id) on delete cascade)",
  `create table house (id int primary key, street int, label varchar(30) as (concat('street ', street)) virtual,
    foreign key (street) references street (id) on delete set null)`,
  "create table person (id int primary key)",
  `create table doc (id int primary key, author int, editor int, foreign key (author) references person (id) on delete set null,
    foreign key (editor) references person (id) on delete set null)`,
  "create table note (id int primary key, doc int, person int, foreign key (doc) references doc (id) on delete cascade, foreign key (person) references person (id) on delete cascade)",
  "create table maker (code varchar(10) collate utf8mb4_general_ci primary key)",
  `create table model (maker varchar(10) collate utf8mb4_general_ci, name varchar(40) character set latin1, primary key (maker, name),
    foreign key (maker) references maker (code) on delete cascade on update cascade)`,
  `create table part (id bigint unsigned primary key, maker varchar(10) collate utf8mb4_general_ci, name varchar(40) character set latin1,
    foreign key (maker, name) references model (maker, name) on delete set null on update cascade)`,
  "create table branch (id int primary key, parent int, foreign key (parent) references branch (id) on delete cascade)",
  "create table worker (id int primary key, boss int, foreign key (boss) references worker (id) on delete set null)",
  "create table hen (id int primary key, egg int)",
  "create table egg (id int primary key, hen int, foreign key (hen) references hen (id) on delete cascade)",
  "alter table hen add foreign key (egg) references egg (id) on delete cascade",
  "create table holder (id int primary key)",
  "create table held (id int primary key, holder int, foreign key (holder) references holder (id) on delete cascade)",
  "create table holding (id int primary key, holder int, foreign key (holder) references holder (id))",
  "create table slot (id int primary key, code int unique)",
  "create table ticket (id int primary key, code int, foreign key (code) references slot (code) on update set null)",
];

const tables = schema.flatMap((statement) => /^create table (\w+)/.exec(statement)?.[1] ?? []);

const rows = [
  "insert into post values (1, 'a'), (2, 'b'), (9007199254740993, 'c')",
  "insert into tag values (1), (2)",
  "insert into post_tag values (1, 1), (1, 2), (2, 1), (9007199254740993, 2)",
  "insert into country values (1), (2)",
  "insert into city values (1, 1), (2, 1), (3, 2)",
  "insert into street values (1, 1), (2, 1), (3, 2), (4, 3)",
  "insert into house (id, street) values (1, 1), (2, 2), (3, 3), (4, 4), (5, null)",
  "insert into person values (1), (2)",
  "insert into doc values (1, 1, 1), (2, 1, 2), (3, 2, 2)",
  "insert into note values (1, 1, 1), (2, 2, 2), (3, null, 1)",
  "insert into maker values ('a'), ('b')",
  "insert into model values ('a', 'one'), ('A', 't\\\\wo\\n'), ('b', 'one')",
  "insert into part values (18446744073709551615, 'a', 'one'), (2, 'a', 't\\\\wo\\n'), (3, 'b', 'one')",
  "insert into branch values (1, null), (2, 1), (3, 2), (4, 3), (5, 1)",
  "insert into worker values (1, null), (2, 1), (3, 2)",
  "insert into hen values (1, null), (2, null)",
  "insert into egg values (1, 1), (2, 2)",
  "update hen set egg = 3 - id",
  "insert into holder values (1), (2)",
  "insert into held values (1, 1), (2, 2)",
  "insert into holding values (1, 1)",
  "insert into slot values (1, 10), (2, 20)",
  "insert into ticket values (1, 10), (2, 20)",
];

for (const kind of ["trigger", "binlog"] as const) {
  describe(`what foreign keys of MariaDB change, captured by ${kind}`, () => {
    let source: ActingSource;
    before(async () => {
      source = await openActing(kind, "capture");
      for (const statement of schema) await source.run(statement);
      expect(await source.install(...tables)).to.deep.equal([]);
    });
    beforeEach(async () => {
      await source.run("set foreign_key_checks = 0");
      for (const table of tables) await source.run(`delete from ${table}`);
      await source.run("set foreign_key_checks = 1");
      for (const statement of rows) await source.run(statement);
    });
    after(() => source.close());

    const count = async (table: string): Promise<number> =>
      Number((await source.run(`select count(*) as n from ${table}`))[0]!["n"]);
    const converges = async (): Promise<void> => {
      const { here, there } = await source.rows();
      expect(there).to.deep.equal(here);
      expect(await count("lockstep_cascade")).to.equal(0);
    };
    /** Runs statements; the target must be right after each. */
    const each = async (...statements: readonly string[]): Promise<void> => {
      for (const statement of statements) {
        await source.run(statement);
        await converges();
      }
    };

    it("rows of a join table", () =>
      each(
        "delete from post where id = 1",
        "update post set id = id + 1 where id > 5",
        "delete from post where id in (select post from post_tag where tag = 1)",
        "delete post, post_tag from post join post_tag on post_tag.post = post.id",
      ));

    it("three levels down, and NULL on the fourth, with what is computed from it", async () => {
      await each("delete from country where id = 1", "delete from city");
      expect(await count("house")).to.equal(5);
    });

    it("a row that several keys change: NULL in both columns, or gone", () =>
      each("delete from person where id = 1", "delete from doc where id = 2", "delete from person"));

    it("keys that hold what changes, composite ones, and such that a collation takes for the same", () =>
      each(
        "update maker set code = 'z' where code = 'a'",
        "update maker set code = 'Z' where code = 'z'",
        "update model set name = 'uno' where name = 'one'",
        "delete from model where name = 'uno' and maker = 'z'",
        "delete from maker",
      ));

    it("trees, and rows that point to each other", async () => {
      await each("delete from branch where id = 2", "delete from branch", "delete from worker where id = 1");
      await each("delete from hen where id = 1");
      expect(await count("egg")).to.equal(0);
    });

    it("NULL on a change of what is referenced", () => each("update slot set code = code + 1 where id = 1"));

    it("statements that replace", () =>
      each(
        "replace into post values (1, 'new')",
        "insert into slot values (1, 5) on duplicate key update code = values(code)",
      ));

    it("nothing of a delete that fails, is ignored, or is taken back", async () => {
      const error = await source.run("delete from holder").catch((e: unknown) => e);
      expect(error).to.be.instanceOf(Error);
      await source.run("delete ignore from holder");
      expect(await count("held")).to.equal(1);
      await source.run("begin");
      await source.run("delete from post where id = 2");
      await source.run("savepoint a");
      await source.run("delete from country");
      await source.run("rollback to a");
      await source.run("commit");
      await source.run("begin");
      await source.run("delete from tag");
      await source.run("rollback");
      await source.run("set foreign_key_checks = 0");
      await source.run("delete from person where id = 1");
      const { here, there } = await source.rows();
      expect(there).to.deep.equal(here);
      // What the ignored delete had noted: the next look at the capture forgets it.
      expect(await count("lockstep_cascade")).to.equal(1);
      expect(await source.status(...tables)).to.deep.equal([]);
      expect(await count("lockstep_cascade")).to.equal(0);
    });

    it("in the transaction of the write, whoever makes it, whatever its session's settings are", async () => {
      const other = await source.session();
      await other.run("set sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES', time_zone = '+05:45'");
      await other.run("set names latin1 collate latin1_german2_ci");
      await other.run("set transaction isolation level read committed");
      await other.run("begin");
      await other.run("delete from maker");
      await other.run("delete from country where id = 1");
      await other.run("commit");
      await converges();
      const last = (await source.events()).filter(
        ({ op, table }) => op === "delete" && table.name === "country",
      );
      const events = await source.events();
      const together = events.filter(({ tick }) => tick === last.at(-1)!.tick).map(({ table }) => table.name);
      expect(together).to.include.members(["maker", "model", "part", "city", "street", "house"]);
    });

    it("of many sessions at once", async () => {
      const sessions = await Promise.all([1, 2, 3, 4].map(() => source.session()));
      await source.run("insert into post select seq, 'x' from seq_100_to_160");
      await source.run("insert into tag select seq from seq_100_to_110");
      // Triggers are also read under other formats of the log, in which the server locks what they read.
      if (kind === "trigger") await sessions[0]!.run("set session binlog_format = mixed");
      const retried = new Set([1213, 1205]);
      const pick = (from: number, size: number): number => from + Math.floor(Math.random() * size);
      await Promise.all(
        sessions.map(async ({ run }) => {
          for (let n = 0; n < 40; n++) {
            const statements = [
              `insert ignore into post_tag select id, ${pick(100, 11)} from post where id between ${pick(100, 60)} and 160 limit 8`,
              `delete from post where id = ${pick(100, 61)}`,
              `insert ignore into post values (${pick(100, 61)}, 'y')`,
              `delete from tag where id = ${pick(100, 11)}`,
              `insert ignore into tag values (${pick(100, 11)})`,
            ];
            await run(statements[pick(0, statements.length)]!).catch((error: unknown) => {
              if (!retried.has((error as { errno: number }).errno)) throw error;
            });
          }
        }),
      );
      await converges();
    });

    it("triggers are made anew when a child has a new column, and removed with everything", async () => {
      await source.run("alter table house add column floors int default 2");
      await source.run("alter table tag add column name varchar(10) default 'x'");
      const drifted = await source.status(...tables);
      expect(new Set(drifted.map(({ problem }) => problem))).to.deep.equal(new Set(["drifted"]));
      expect(drifted.map(({ table }) => table)).to.include.members(
        ["country", "city", "street"].map((name) => `${source.namespace}.${name}`),
      );
      expect(await source.install(...tables)).to.deep.equal([]);
      for (const statement of rows.filter((s) => /(country|city|street|house)/.test(s)))
        await source.run(statement.replace("insert", "replace"));
      await source.run("delete from country where id = 1");
      await source.remove();
      expect(await source.run("show triggers")).to.deep.equal([]);
      expect(await source.run("show tables like 'lockstep%cascade'")).to.deep.equal([]);
    });
  });

  describe(`foreign keys of MariaDB through tables that ${kind} leaves out`, () => {
    it("are followed, and so is one that is added; keys that can't be are refused by name", async () => {
      const source = await openActing(kind, "capture");
      try {
        for (const statement of schema) await source.run(statement);
        expect(await source.install("street", "house")).to.deep.equal([]);
        for (const statement of rows) await source.run(statement);
        await source.run("delete from country where id = 1");
        const { here, there } = await source.rows();
        expect(there).to.deep.equal(here);
        await source.run("create table owner (id int primary key)");
        await source.run(
          "alter table house add column owner int, add foreign key (owner) references owner (id) on delete cascade",
        );
        expect((await source.status("house")).map(({ table, problem }) => [table, problem])).to.deep.include([
          `${source.namespace}.owner`,
          "missing",
        ]);
        await source.run(
          "create table clock (at timestamp(3) primary key, street int, foreign key (street) references street (id) on delete cascade)",
        );
        expect((await source.status("clock")).filter(({ problem }) => problem === "refused")).to.deep.equal([
          {
            table: `${source.namespace}.clock`,
            problem: "refused",
            message: `${source.namespace}.clock has rows that foreign keys change and that can't be followed: its key holds at, a timestamp(3)`,
          },
        ]);
      } finally {
        await source.close();
      }
    });
  });
}

describe("what foreign keys of MariaDB change", () => {
  it("is refused under the binlog unless it is asked for, with what to ask for", async () => {
    const source = await openActing("binlog");
    try {
      for (const statement of schema.slice(0, 3)) await source.run(statement);
      const [finding, ...others] = await source.status("post", "tag", "post_tag");
      expect(others).to.deep.equal([]);
      expect(finding).to.include({ table: `${source.namespace}.post_tag`, problem: "refused" });
      expect(finding!.message).to.include('foreignKeyActions: "capture"');
    } finally {
      await source.close();
    }
  });

  it("is worked out by triggers unasked", async () => {
    const source = await openActing("trigger");
    try {
      for (const statement of schema.slice(0, 3)) await source.run(statement);
      expect(await source.install("post", "tag", "post_tag")).to.deep.equal([]);
      for (const statement of rows.slice(0, 3)) await source.run(statement);
      await source.run("delete from post");
      expect((await source.rows()).there).to.deep.equal(['tag ["1"]', 'tag ["2"]']);
    } finally {
      await source.close();
    }
  });
});
