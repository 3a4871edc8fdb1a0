import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCli } from "@lockstep/cli";
import { targetsOf } from "@lockstep/runtime";
import { eventually } from "@lockstep/testing";
import { expect } from "chai";
import { type NodeKind, StarRig } from "./star.js";

const pairs: readonly (readonly [string, NodeKind, NodeKind])[] = [
  [
    "PostgreSQL and PostgreSQL",
    { kind: "postgres", capture: "wal" },
    { kind: "postgres", capture: "trigger" },
  ],
  ["MariaDB and MariaDB", { kind: "mariadb", capture: "binlog" }, { kind: "mariadb", capture: "trigger" }],
];

for (const [name, main, branch] of pairs) {
  describe(`what persons mend between nodes: ${name}`, () => {
    let star: StarRig;

    before(async () => {
      star = await StarRig.open({ main, branch }, { stock: { policy: "primaryWins" } });
      await star.run("main", "alter table stock add check (amount < 100)");
    });
    beforeEach(async () => {
      await star.run("main", "delete from stock");
      await star.converged([]);
    });
    after(() => star[Symbol.asyncDispose]());

    it("a leaf's change that the hub refuses holds the leaf's row until it is discarded; then the hub's stands", async () => {
      await star.run("main", "insert into stock values (1, 'a', 1)");
      await star.converged(["1|a|1"]);
      await star.run("branch", "update stock set amount = 500 where id = 1");
      await star.run("branch", "insert into stock values (2, 'b', 600)");
      const letters = await deadLetters(star, 2);
      await star.run("main", "update stock set name = 'm' where id = 1");
      await star.settled();
      expect(await star.rows("branch")).to.deep.equal(["1|a|500", "2|b|600"]);
      await discard(star, letters);
      await star.converged(["1|m|1"]);
      // From here on the row is like any other.
      await star.run("branch", "update stock set amount = 5 where id = 1");
      await star.run("branch", "insert into stock values (2, 'b', 6)");
      await star.converged(["1|m|5", "2|b|6"]);
      await star.settled();
    });

    it("rows from before versions were kept: full syncs of all nodes, at a time, end with the same rows everywhere", async () => {
      // The leaf first: what is read from the hub's own log isn't lost, and may be at the leaf at once.
      for (const [node, rows] of [
        ["branch", "(201, 'b', 1), (203, 'b', 3), (204, 'same', 4)"],
        ["main", "(201, 'm', 1), (202, 'm', 2), (204, 'same', 4)"],
      ] as const)
        await star.lost(node, `insert into stock values ${rows}`, { versioned: false });
      const syncs = ["main", "branch"].map((source) => lockstep(star, "sync", "full", "--source", source));
      for (const { code, text } of await Promise.all(syncs)) expect(code, text).equal(0);
      const { main, branch } = await star.settled();
      expect(branch).to.deep.equal(main);
      // What the hub has is never lost to what nobody knows the age of; what only the leaf has may be removed as a row that the hub lacks.
      expect(main).to.include.members(["201|m|1", "202|m|2", "204|same|4"]);
    });

    it("repair from the hub closes what differs at a leaf, whatever its versions say", async () => {
      await star.run(
        "main",
        "insert into stock values (1, 'a', 1), (2, 'b', 2), (3, 'c', 3), (4, 'd', 4), (5, 'e', 5)",
      );
      await star.converged(["1|a|1", "2|b|2", "3|c|3", "4|d|4", "5|e|5"]);
      for (const statement of [
        "update stock set amount = 10 where id = 1",
        "delete from stock where id = 2",
        "insert into stock values (9, 'z', 9)",
      ])
        await star.lost("branch", statement, { versioned: false });
      // What the hub sends of these rows is held back from now on: their versions wait for answers to what it never heard of.
      await star.lost("branch", "update stock set amount = 30 where id = 3");
      await star.lost("branch", "delete from stock where id = 4");
      await star.run("main", "update stock set name = 'm' where id = 3");
      await star.settled();
      expect(await star.rows("branch")).to.deep.equal(["1|a|10", "3|c|30", "5|e|5", "9|z|9"]);
      const repaired = await lockstep(star, "repair", "--source", "main");
      expect(repaired.code, repaired.text).equal(0);
      await star.converged(["1|a|1", "2|b|2", "3|m|3", "4|d|4", "5|e|5"]);
      const verified = await lockstep(star, "verify");
      expect(verified.code, verified.text).equal(0);
      await star.run("branch", "update stock set amount = 11 where id in (1, 2, 3, 4)");
      await star.converged(["1|a|11", "2|b|11", "3|m|11", "4|d|11", "5|e|5"]);
    });

    it("repair from the hub waits for what the leaf has captured: it isn't lost", async () => {
      await star.run("main", "insert into stock values (1, 'a', 1), (2, 'b', 2)");
      await star.converged(["1|a|1", "2|b|2"]);
      await star.lost("branch", "update stock set amount = 20 where id = 2", { versioned: false });
      // Lanes don't reach the hub: the leaf's change is on its way while the rows are compared and sent.
      await star.cut("main");
      await star.run("branch", "update stock set amount = 7 where id = 1");
      const early = await lockstep(star, "repair", "--source", "main");
      expect(early.code, early.text).equal(1);
      expect(early.text).to.include("TARGET_BEHIND");
      await star.heal("main");
      const repaired = await lockstep(star, "repair", "--source", "main");
      expect(repaired.code, repaired.text).equal(0);
      await star.converged(["1|a|7", "2|b|2"]);
    });

    it("repair from a leaf sends the hub what it never heard of", async () => {
      await star.run("main", "insert into stock values (1, 'a', 1), (2, 'b', 2)");
      await star.converged(["1|a|1", "2|b|2"]);
      await star.lost("branch", "update stock set amount = 10 where id = 1");
      await star.lost("branch", "insert into stock values (3, 'c', 3)");
      await star.run("main", "update stock set name = 'm' where id = 2");
      await star.settled();
      const repaired = await lockstep(star, "repair", "--source", "branch");
      expect(repaired.code, repaired.text).equal(0);
      await star.converged(["1|a|10", "2|m|2", "3|c|3"]);
    });
  });
}

async function deadLetters(star: StarRig, count: number): Promise<readonly string[]> {
  return eventually(
    async () => {
      const rows = await star.run<{ id: string; state: string }>("main", star.letters("main"));
      const dead = rows.filter(({ state }) => state === "dead").map(({ id }) => String(id));
      return dead.length === count ? dead : undefined;
    },
    { what: `${count} dead letters at the hub` },
  );
}

async function discard({ config }: StarRig, letters: readonly string[]): Promise<void> {
  const targets = await targetsOf(config);
  try {
    const hub = targets.find(({ target }) => target.name === "main")!.target;
    for (const letter of letters) await hub.letters.discard(letter, "ada", "a test");
  } finally {
    for (const { target } of targets) await target.close();
  }
}

async function lockstep({ config }: StarRig, ...args: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), "lockstep-"));
  try {
    const file = join(folder, "lockstep.config.mjs");
    await writeFile(file, `export default ${JSON.stringify(config)}`);
    const lines: string[] = [];
    const say = (line: string): void => void lines.push(line);
    const code = await runCli([...args, "--config", file], { out: say, error: say });
    return { code, text: lines.join("\n") };
  } finally {
    await rm(folder, { recursive: true });
  }
}
