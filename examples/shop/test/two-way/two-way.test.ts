import { expect } from "chai";
import { StarRig, stock } from "./star.js";

describe("two-way sync", function () {
  this.timeout(60_000);

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
    await star.settled();
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

  it("a star of three whose hub captures by wal: the hub sends on what a leaf writes, and what it decides", async () => {
    await using star = await StarRig.open(
      {
        main: { kind: "postgres", capture: "wal" },
        north: { kind: "postgres", capture: "trigger" },
        south: { kind: "mariadb", capture: "subscriber" },
      },
      { stock: { policy: "primaryWins" } },
    );
    const south = star.source("south").getRepository(stock);
    await star.run("main", "insert into stock values (1, 'a', 1)");
    await star.run("north", "insert into stock values (2, 'b', 2)");
    await south.save({ id: 3, name: "c", amount: 3 });
    await star.converged(["1|a|1", "2|b|2", "3|c|3"]);
    await star.cut("main");
    for (const node of ["main", "north"])
      await star.run(node, `update stock set name = '${node}' where id < 3`);
    await south.update({ id: 1 }, { amount: 7 });
    await south.delete({ id: 3 });
    await star.heal("main");
    await star.converged(["1|main|1", "2|main|2"]);
    await star.settled();
  });
});
