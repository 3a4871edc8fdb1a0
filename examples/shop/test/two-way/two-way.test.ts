import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { randomDay } from "./random-day.js";
import { StarRig, stock } from "./star.js";

/** A campaign: LOCKSTEP_TWO_WAY_ROUNDS=50, and LOCKSTEP_TWO_WAY_SEED for one that failed. */
const rounds = Number(process.env["LOCKSTEP_TWO_WAY_ROUNDS"] ?? 1);

describe("two-way sync", function () {
  it("a pair: what either writes is at the other; where both wrote, the policy decides, and both hear of it", async () => {
    await using star = await StarRig.open(
      { main: { kind: "postgres", capture: "trigger" }, branch: { kind: "postgres", capture: "trigger" } },
      { stock: { policy: "primaryWins" } },
    );
    await star.run("main", "insert into stock values (1, 'a', 1)");
    await star.run("branch", "insert into stock values (2, 'b', 2)");
    await star.converged(["1|a|1", "2|b|2"]);
    await star.run("branch", "update stock set amount = 10 where id = 1");
    await star.run("main", "delete from stock where id = 2");
    await star.run("main", "insert into stock values (3, 'c', 3), (4, 'd', 4), (5, 'e', 5), (6, 'f', 6)");
    await star.converged(["1|a|10", "3|c|3", "4|d|4", "5|e|5", "6|f|6"]);
    await star.cut("main");
    await star.cut("branch");
    for (const node of ["main", "branch"]) {
      await star.run(node, `update stock set name = '${node}' where id = 3`);
      await star.run(node, "delete from stock where id = 6");
    }
    await star.run("main", "delete from stock where id = 4");
    await star.run("branch", "update stock set amount = 40 where id = 4");
    await star.run("main", "update stock set amount = 50 where id = 5");
    await star.run("branch", "delete from stock where id = 5");
    await star.heal("main");
    await star.heal("branch");
    await star.converged(["1|a|10", "3|main|3", "5|e|50"]);
    const conflicts = await star.run("main", "select row_key from lockstep.conflict order by row_key");
    expect(conflicts).to.deep.equal(["3", "4", "5"].map((key) => ({ row_key: `["${key}"]` })));
    expect(await star.run("branch", "select row_key from lockstep.conflict")).to.deep.equal([]);
  });

  it("MariaDB's hub, read from its binlog, and PostgreSQL: the later write wins, deletes among them", async () => {
    await using star = await StarRig.open(
      { main: { kind: "mariadb", capture: "binlog" }, branch: { kind: "postgres", capture: "subscriber" } },
      { stock: { policy: "lastWriteWins" } },
    );
    const branch = star.source("branch").getRepository(stock);
    await star.run("main", "insert into stock values (1, 'é', 1), (2, 'b', 2), (3, 'c', 3)");
    await star.converged(["1|é|1", "2|b|2", "3|c|3"]);
    await star.cut("main");
    await star.run("main", "update stock set name = 'main' where id in (1, 2)");
    await branch.update({ id: 1 }, { name: "branch" });
    await branch.delete({ id: 2 });
    await branch.save({ id: 4, name: "branch", amount: 4 });
    await branch.update({ id: 3 }, { amount: 30 });
    await star.run("main", "insert into stock values (4, 'main', 5)");
    await star.run("main", "delete from stock where id = 3");
    await star.heal("main");
    await star.converged(["1|branch|1", "4|main|5"]);
    await branch.save({ id: 3, name: "new", amount: 3 });
    await star.run("main", "update stock set amount = amount + 1 where id = 4");
    await star.converged(["1|branch|1", "3|new|3", "4|main|6"]);
  });

  describe("a star of three, whose hub captures by wal", () => {
    let star: StarRig;
    before(async () => {
      star = await StarRig.open(
        {
          main: { kind: "postgres", capture: "wal", partitions: 2 },
          north: { kind: "postgres", capture: "trigger" },
          south: { kind: "mariadb", capture: "trigger" },
        },
        { stock: { policy: "lastWriteWins" } },
      );
    });
    after(() => star?.[Symbol.asyncDispose]());

    it("sends on what a leaf writes, and what the hub decides", async () => {
      await star.run("main", "insert into stock values (1, 'a', 1)");
      await star.run("north", "insert into stock values (2, 'b', 2)");
      await star.run("south", "insert into stock values (3, 'c', 3)");
      await star.converged(["1|a|1", "2|b|2", "3|c|3"]);
      // South, too: what it had heard of would be a part of what it writes.
      for (const node of ["main", "south"]) await star.cut(node);
      for (const node of ["main", "north"])
        await star.run(node, `update stock set name = '${node}' where id < 3`);
      await star.run("south", "update stock set amount = 7 where id = 1");
      await star.run("south", "delete from stock where id = 3");
      for (const node of ["main", "south"]) await star.heal(node);
      await star.converged(["1|a|7", "2|north|2"]);
    });

    it("draws numbers at each node that no other node draws, as the page says", async () => {
      const page = await readFile(
        new URL("../../../../../docs/strategies/two-way.md", import.meta.url),
        "utf8",
      );
      const [postgres, mysql] = [...page.matchAll(/```sql\n(.*?)```/gs)].map(([, code]) =>
        code!.split("\n").filter((line) => line !== ""),
      );
      await star.run(
        "main",
        "create table orders (id int generated by default as identity primary key, n int)",
      );
      for (const statement of postgres!) await star.run("main", statement);
      const drawn = await star.run<{ id: number }>(
        "main",
        "insert into orders (n) values (1), (2) returning id",
      );
      expect(drawn.map(({ id }) => id)).to.deep.equal([1001, 1011]);
      await star.run("south", "create table orders (id int auto_increment primary key, n int)");
      for (const statement of mysql!) await star.run("south", statement);
      try {
        const [settings] = await star.run(
          "south",
          "select cast(@@global.auto_increment_increment as char) as step, cast(@@global.auto_increment_offset as char) as first",
        );
        expect(settings).to.deep.equal({ step: "10", first: "2" });
        await star.run(
          "south",
          "set statement auto_increment_increment = 10, auto_increment_offset = 2 for insert into orders (id, n) values (57, 1)",
        );
        await star.run(
          "south",
          "set statement auto_increment_increment = 10, auto_increment_offset = 2 for insert into orders (n) values (2)",
        );
        const [last] = await star.run<{ id: number }>("south", "select max(id) as id from orders");
        expect(last!.id).to.equal(62);
      } finally {
        await star.run("south", "set global auto_increment_increment = 1");
        await star.run("south", "set global auto_increment_offset = 1");
      }
    });

    it("comes to rest with equal nodes, whatever they write and whoever is cut off meanwhile", async function () {
      this.timeout(180_000 + rounds * 10_000);
      for (let round = 0; round < rounds; round++) {
        const seed = Number(process.env["LOCKSTEP_TWO_WAY_SEED"] ?? Date.now()) + round;
        await randomDay(star, seed, 80);
        const { main, north, south } = await star.settled();
        expect(north, `seed ${seed}`).to.deep.equal(main);
        expect(south, `seed ${seed}`).to.deep.equal(main);
      }
    });
  });
});
