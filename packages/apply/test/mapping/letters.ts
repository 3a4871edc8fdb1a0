import { fingerprintOf, type TableMapping, type TargetMapping } from "@lockstep/core";
import { expect } from "chai";
import { gone, move, put } from "../stage/changes.js";
import { type MappingUse, quick } from "./mapping-tools.js";

const slow = { ...quick, delayMs: 60_000 };

/** Upper-case names; a customer named `bad` can't be computed. */
const shouting = (correct: boolean): TableMapping => ({
  to: "shouted",
  columns: {
    id: true,
    name: {
      type: "text(50)",
      value: (row) => {
        if (row["name"] === "bad" && !correct) throw new Error(`can't shout ${String(row["email"])}`);
        return String(row["name"]).toUpperCase();
      },
    },
  },
});

/** Rows that can't be mapped, or that the target refuses as mapped. */
export function mappedLetterTests(stage: MappingUse): void {
  it("set aside what the user's code can't map, with its place, and map it anew when the code is corrected", async () => {
    const { relay, shop, map, rows, reached, letters, target, until } = stage();
    const lane = map({ customers: shouting(false), "*": false });
    relay.commit([
      put(shop.customers, "1", "a@x", "ann"),
      put(shop.customers, "2", "b@x", "bad"),
      put(shop.customers, "3", "c@x", "cy"),
    ]);
    await reached(relay.last);
    const found = () => rows("SELECT id, name FROM shouted ORDER BY id");
    expect(await found()).deep.equal(["1|ANN", "3|CY"]);
    const letter = await until(async () => {
      const [one] = await letters();
      return one?.state === "dead" && one;
    }, "a dead letter");
    expect(letter).deep.include({
      table: "shop.customers",
      key: '["2"]',
      code: "TRANSFORM_FAILED",
      attempts: 2,
    });
    expect(letter.about).match(/^columns\.name \(letters\.(js|ts):\d+\)$/);
    expect(JSON.stringify(lane.status())).not.contain("b@x");
    await lane[Symbol.asyncDispose]();
    const mended = map({ customers: shouting(true), "*": false });
    await target.letters.replay({ ids: [letter.id] }, "test", 10);
    mended.nudge();
    await until(async () => (await letters())[0]?.state === "applied", "the letter applied");
    expect(await found()).deep.equal(["1|ANN", "2|BAD", "3|CY"]);
  });

  it("are superseded by a newer row, by a delete, and leave the old key when the row had moved", async () => {
    const { relay, shop, map, rows, reached, letters } = stage();
    map({ customers: shouting(false), "*": false }, { retry: slow });
    relay.commit([
      put(shop.customers, "1", null, "ann"),
      put(shop.customers, "2", null, "bad"),
      put(shop.customers, "3", null, "bad"),
    ]);
    await reached(relay.last);
    relay.commit([
      move("1", shop.customers, "9", null, "bad"),
      put(shop.customers, "2", null, "bob"),
      gone(shop.customers, "3"),
    ]);
    await reached(relay.last);
    expect((await letters()).map(({ key, state }) => [key, state])).deep.equal([
      ['["2"]', "superseded"],
      ['["3"]', "superseded"],
      ['["9"]', "retrying"],
    ]);
    expect(await rows("SELECT id, name FROM shouted")).deep.equal(["2|BOB"]);
    relay.commit([put(shop.customers, "9", 0, "nine")]);
    await reached(relay.last);
    expect(await rows("SELECT id, name FROM shouted ORDER BY id")).deep.equal(["2|BOB", "9|NINE"]);
  });

  it("hold what the target must not see only sealed, and are written from it all the same", async () => {
    const { relay, shop, map, rows, reached, letters, target, run, until, engine } = stage();
    await run(
      `CREATE TABLE masked (who varchar(64) NOT NULL PRIMARY KEY, mail varchar(64), name varchar(50), CONSTRAINT no_bad CHECK (name <> 'BAD'))`,
    );
    const columns = { ...shouting(true).columns, id: false, who: { hash: "id" }, mail: { hash: "email" } };
    const lane = map(
      { customers: { to: "masked", columns, key: ["who"] }, "*": false },
      { external: true, retry: slow },
    );
    relay.commit([put(shop.customers, "123456", "secret@x", "bad"), put(shop.customers, "2", null, "bob")]);
    await reached(relay.last);
    const table = engine === "postgres" ? "lockstep.dead_letter" : "lockstep_dead_letter";
    const kept = JSON.stringify(await run(`SELECT * FROM ${table}`));
    expect(kept).contain("sealed:1:").and.not.contain("secret@x").and.not.contain("123456");
    expect(JSON.stringify(lane.status().lastErrors)).not.contain("123456");
    // A partial image is completed from the sealed one, under the sealed key.
    await run("ALTER TABLE masked DROP CONSTRAINT no_bad");
    relay.commit([put(shop.customers, "123456", 0, "fine")]);
    await reached(relay.last);
    expect((await letters()).map(({ state }) => state)).deep.equal(["superseded"]);
    relay.commit([put(shop.customers, "3", "secret@x", "cy")]);
    await reached(relay.last);
    const mails = await rows("SELECT mail FROM masked WHERE name IN ('FINE', 'CY')");
    expect(mails).length(2);
    expect(mails[0]).equal(mails[1]);
    // And by a retry, from the letter alone.
    await run("ALTER TABLE masked ADD CONSTRAINT no_bad CHECK (name <> 'BAD')");
    relay.commit([put(shop.customers, "4", "secret@x", "bad")]);
    await reached(relay.last);
    await run("ALTER TABLE masked DROP CONSTRAINT no_bad");
    await target.letters.replay({ states: ["retrying"] }, "test", 10);
    lane.nudge();
    await until(
      async () => (await letters()).every(({ state }) => state !== "retrying" && state !== "due"),
      "all over",
    );
    expect(await rows("SELECT mail FROM masked WHERE name = 'BAD'")).deep.equal([mails[0]]);
  });

  it("are found by their rows under a mapping that hides, or shows, their keys by now", async () => {
    const { relay, shop, map, rows, reached, letters, target, until } = stage();
    const hiding = (correct: boolean): TargetMapping => {
      const columns = { ...shouting(correct).columns, id: false, who: { hash: "id" } };
      return { customers: { to: "hidden", columns, key: ["who"] }, "*": false };
    };
    const plain = map({ customers: shouting(false), "*": false }, { retry: slow });
    relay.commit([put(shop.customers, "1", null, "bad"), put(shop.customers, "2", null, "bad")]);
    await reached(relay.last);
    await plain[Symbol.asyncDispose]();
    const stillFailing = map(hiding(false), { retry: slow });
    const live = async () => (await letters()).filter(({ state }) => state !== "superseded");
    const replay = async (lane: typeof plain) => {
      await target.letters.replay({}, "test", 10);
      lane.nudge();
    };
    await replay(stillFailing);
    const tried = () =>
      until(async () => (await live()).every(({ state }) => state === "retrying"), "all tried");
    await tried();
    expect((await live()).map(({ attempts }) => attempts)).deep.equal([1, 1]);
    relay.commit([put(shop.customers, "1", null, "one"), put(shop.customers, "3", null, "bad")]);
    await reached(relay.last);
    await stillFailing[Symbol.asyncDispose]();
    const shown = map({ customers: shouting(true), "*": false }, { retry: slow });
    relay.commit([put(shop.customers, "2", null, "two"), put(shop.customers, "3", null, "three")]);
    await reached(relay.last);
    expect(await live()).deep.equal([]);
    await replay(shown);
    expect(await rows("SELECT name FROM hidden")).deep.equal(["ONE"]);
    expect(await rows("SELECT name FROM shouted ORDER BY id")).deep.equal(["TWO", "THREE"]);
  });

  it("of a schema that a corrected mapping no longer fits count their attempts, and stop nothing", async () => {
    const { relay, shop, map, rows, reached, letters, target, until, run, engine } = stage();
    const early = map({ customers: { ...shouting(false), to: "early" }, "*": false }, { retry: slow });
    relay.commit([put(shop.customers, "1", "a@x", "bad")]);
    await reached(relay.last);
    await early[Symbol.asyncDispose]();
    const columnsNow = [...shop.customers.columns, { ...shop.customers.columns[2]!, name: "plan" }];
    const now = { ...shop.customers, columns: columnsNow };
    const wider = relay.learn({ ...now, fingerprint: fingerprintOf(now) });
    const columns = { id: true, plan: "plan", name: { hash: "name" } } as const;
    const lane = map({ customers: { to: "planned", columns }, "*": false });
    relay.commit([put(wider, "2", null, "bob", "gold")]);
    await reached(relay.last);
    await target.letters.replay({}, "test", 10);
    lane.nudge();
    await until(async () => (await letters())[0]?.code === "CONFIG_INVALID", "a letter that was tried");
    const table = engine === "postgres" ? "lockstep.dead_letter" : "lockstep_dead_letter";
    expect(JSON.stringify(await run(`SELECT * FROM ${table}`))).not.contain("a@x");
    relay.commit([put(wider, "3", null, "cy", "silver")]);
    await reached(relay.last);
    expect(await rows("SELECT plan FROM planned ORDER BY id")).deep.equal(["gold", "silver"]);
    expect(lane.status().errorCount).equal(1);
    relay.commit([put(wider, "1", null, "ann", "free")]);
    await reached(relay.last);
    expect((await letters()).map(({ state }) => state)).deep.equal(["superseded"]);
  });

  it("of a row of several tables stand for all of them, once", async () => {
    const { relay, shop, map, rows, reached, letters, target, run, until } = stage();
    const both: TargetMapping = { customers: [{}, { to: "copies" }], "*": false };
    await run(
      "CREATE TABLE copies (id integer NOT NULL PRIMARY KEY, email varchar(80), name varchar(200), CONSTRAINT no_bad_copy CHECK (name <> 'bad'))",
    );
    const lane = map(both, { external: true, retry: slow });
    relay.commit([put(shop.customers, "1", "a@x", "bad"), put(shop.customers, "2", "b@x", "good")]);
    await reached(relay.last);
    expect((await letters()).map(({ key }) => key)).deep.equal(['["1"]']);
    expect(await rows("SELECT id FROM copies")).deep.equal(["2"]);
    const replay = async () => {
      await target.letters.replay({ states: ["retrying"] }, "test", 10);
      lane.nudge();
    };
    await run("ALTER TABLE customers DROP CONSTRAINT no_bad_name");
    await replay();
    await until(async () => (await rows("SELECT id FROM customers")).length === 2, "the row in one table");
    expect((await letters()).map(({ state }) => state)).deep.equal(["retrying"]);
    await run("ALTER TABLE copies DROP CONSTRAINT no_bad_copy");
    await replay();
    await until(async () => (await letters())[0]?.state === "applied", "the letter applied");
    expect(await rows("SELECT id FROM copies ORDER BY id")).deep.equal(["1", "2"]);
  });

  it("let a mapped child wait for its mapped parent's letter, also after a restart", async () => {
    const { relay, shop, map, rows, reached, letters, run } = stage();
    await run(
      "CREATE TABLE clients (kind varchar(10) NOT NULL, nr integer NOT NULL, name varchar(50), PRIMARY KEY (kind, nr), CONSTRAINT no_bad_client CHECK (name <> 'bad'))",
    );
    await run(
      "CREATE TABLE bills (id integer NOT NULL PRIMARY KEY, kind varchar(10), client integer, CONSTRAINT of_client FOREIGN KEY (kind, client) REFERENCES clients (kind, nr))",
    );
    const mapping: TargetMapping = {
      customers: {
        to: "clients",
        columns: { kind: { fixed: "c" }, nr: "id", name: true },
        key: ["kind", "nr"],
      },
      orders: { to: "bills", columns: { id: true, kind: { fixed: "c" }, client: "customer" } },
    };
    const lane = map(mapping, { external: true, retry: slow });
    relay.commit([put(shop.customers, "1", null, "bad"), put(shop.orders, "10", "1", null)]);
    await reached(relay.last);
    await lane[Symbol.asyncDispose]();
    map(mapping, { external: true, retry: slow });
    relay.commit([put(shop.orders, "11", "1", null)]);
    await reached(relay.last);
    expect((await letters()).map(({ key, state, attempts }) => [key, state, attempts])).deep.equal([
      ['["1"]', "retrying", 1],
      ['["10"]', "waiting", 0],
      ['["11"]', "waiting", 0],
    ]);
    relay.commit([put(shop.customers, "1", null, "good")]);
    await reached(relay.last);
    expect(await rows("SELECT id, client FROM bills ORDER BY id")).deep.equal(["10|1", "11|1"]);
  });

  it("are not made when the code fails for many rows: the lane pauses and names the place", async () => {
    const { relay, shop, map, rows, reached, letters, until } = stage();
    const lane = map({ customers: shouting(false), "*": false });
    relay.commit(Array.from({ length: 40 }, (_, i) => put(shop.customers, `${i}`, null, "bad")));
    const { message } = await until(() => {
      const { reason } = lane.status();
      return reason?.code === "TARGET_MANY_REFUSED" && reason;
    }, "the pause");
    expect(message).match(/TRANSFORM_FAILED in columns\.name \(letters\.(js|ts):\d+\)/);
    expect(await letters()).deep.equal([]);
    await lane[Symbol.asyncDispose]();
    map({ customers: shouting(true), "*": false });
    await reached(relay.last);
    expect(await rows("SELECT count(*) AS n FROM shouted")).deep.equal(["40"]);
  });
}
