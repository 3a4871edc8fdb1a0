import { expect } from "chai";
import { gone, move, put, truncated } from "../stage/changes.js";
import type { StageUse } from "./lane-suite.js";

/** Rows that the target refuses. */
export function letterTests(stage: StageUse): void {
  const quick = { delayMs: 50, jitter: 0, attempts: 3 };

  it("sets one bad row among thousands aside, retries it, and writes it after a replay", async () => {
    const { relay, shop, start, rows, reached, run, until, letters, target } = stage();
    const customers = Array.from({ length: 4000 }, (_, i) => put(shop.customers, `${i}`, `${i}@x`, `n${i}`));
    customers[2345] = put(shop.customers, "2345", "2345@x", "bad");
    relay.commit(customers);
    const lane = start({ retry: quick });
    await reached(relay.last);
    expect(await rows("SELECT count(*) AS n FROM customers")).deep.equal(["3999"]);
    const [letter] = await until(async () => {
      const found = await letters();
      return found[0]?.state === "dead" ? found : undefined;
    }, "a dead letter");
    expect(letter).deep.include({
      table: "shop.customers",
      key: '["2345"]',
      code: "TARGET_CHECK",
      attempts: 3,
    });
    expect(lane.status().lastErrors[0]).deep.include({ table: "shop.customers", key: '["2345"]' });
    expect(JSON.stringify(lane.status())).not.contain("2345@x");
    await run("ALTER TABLE customers DROP CONSTRAINT no_bad_name");
    expect(await target.letters.replay({ ids: [letter!.id] }, "test", 10)).deep.equal([letter!.id]);
    lane.nudge();
    await until(async () => (await letters())[0]?.state === "applied", "the letter applied");
    expect(await rows("SELECT name FROM customers WHERE id = 2345")).deep.equal(["bad"]);
  });

  it("counts rows as synced when they are written: one that was set aside when its letter applies", async () => {
    const { relay, shop, start, reached, run, until, letters, target, source } = stage();
    const synced = async (): Promise<number | undefined> =>
      (await target.checkpoints()).find((lane) => lane.source === source)?.recordsSynced;
    relay.commit([
      put(shop.customers, "1", "a@x", "bad"),
      put(shop.customers, "2", "b@x", "bad"),
      put(shop.customers, "3", "c@x", "good"),
      put(shop.orders, "10", "1", "waits"),
      put(shop.orders, "11", "3", "goes"),
    ]);
    const lane = start({ retry: { ...quick, delayMs: 60_000 } });
    await reached(relay.last);
    expect(await synced()).equal(2);
    relay.commit([put(shop.customers, "2", "b@x", "good")]);
    await reached(relay.last);
    expect(await synced()).equal(3);
    await run("ALTER TABLE customers DROP CONSTRAINT no_bad_name");
    await target.letters.replay({ ids: [(await letters())[0]!.id] }, "test", 10);
    lane.nudge();
    await until(
      async () => (await letters()).every(({ state }) => /applied|superseded/.test(state)),
      "all over",
    );
    expect(await synced()).equal(5);
    expect(lane.status().recordsSynced).equal(5);
  });

  it("forgets letters that have been over for long, and no others", async () => {
    const { relay, shop, start, reached, letters, until } = stage();
    relay.commit([put(shop.customers, "1", "a@x", "bad"), put(shop.customers, "2", "b@x", "bad")]);
    const first = start({ retry: { ...quick, delayMs: 60_000 } });
    await reached(relay.last);
    relay.commit([put(shop.customers, "1", "a@x", "good")]);
    await reached(relay.last);
    await first[Symbol.asyncDispose]();
    expect((await letters()).map(({ state }) => state)).deep.equal(["superseded", "retrying"]);
    // At its first look a lane still keeps them; half a minute later, by its clock, they are old.
    let skew = 0;
    start({
      limits: { keepLettersMs: 20_000 },
      now: () => Date.now() + skew,
      elapsed: () => performance.now() + skew,
    });
    relay.commit([put(shop.customers, "3", "c@x", "good")]);
    await reached(relay.last);
    expect(await letters()).length(2);
    skew = 31_000;
    await until(async () => (await letters()).length === 1, "the old letter to be forgotten");
    expect((await letters())[0]?.key).equal('["2"]');
  });

  it("supersedes a letter by a newer image, and by a delete", async () => {
    const { relay, shop, start, rows, reached, letters } = stage();
    relay.commit([put(shop.customers, "1", "a@x", "bad"), put(shop.customers, "2", "b@x", "bad")]);
    start({ retry: { ...quick, delayMs: 60_000 } });
    await reached(relay.last);
    expect((await letters()).map(({ state }) => state)).deep.equal(["retrying", "retrying"]);
    relay.commit([put(shop.customers, "1", "a@x", "good"), gone(shop.customers, "2")]);
    await reached(relay.last);
    expect((await letters()).map(({ state }) => state)).deep.equal(["superseded", "superseded"]);
    expect(await rows("SELECT * FROM customers")).deep.equal(["1|a@x|good"]);
  });

  it("completes a partial image from the letter of its row", async () => {
    const { relay, shop, start, rows, reached } = stage();
    relay.commit([put(shop.customers, "1", "a@x", "bad")]);
    start({ retry: { ...quick, delayMs: 60_000 } });
    await reached(relay.last);
    relay.commit([put(shop.customers, "1", 0, "good")]);
    await reached(relay.last);
    expect(await rows("SELECT * FROM customers")).deep.equal(["1|a@x|good"]);
  });

  it("keeps one letter per row, with the newest image", async () => {
    const { relay, shop, start, reached, letters, target } = stage();
    relay.commit([put(shop.customers, "1", "a@x", "bad")]);
    start({ retry: { ...quick, delayMs: 60_000 } });
    await reached(relay.last);
    relay.commit([put(shop.customers, "1", "z@x", "bad")]);
    await reached(relay.last);
    const [letter, ...others] = await letters();
    expect(others).length(0);
    expect((await target.letters.get(letter!.id))?.image).equal('["1","z@x","bad"]');
  });

  it("lets children wait for their parent's letter, and releases them with it", async () => {
    const { relay, shop, start, rows, reached, letters } = stage();
    relay.commit([
      put(shop.customers, "1", "a@x", "bad"),
      put(shop.customers, "2", "b@x", "fine"),
      put(shop.orders, "10", "1", "waits"),
      put(shop.orders, "11", "2", "goes"),
    ]);
    start({ retry: { ...quick, delayMs: 60_000 } });
    await reached(relay.last);
    relay.commit([put(shop.orders, "12", "1", "waits too")]);
    await reached(relay.last);
    expect((await letters()).map(({ key, state, attempts }) => [key, state, attempts])).deep.equal([
      ['["1"]', "retrying", 1],
      ['["10"]', "waiting", 0],
      ['["12"]', "waiting", 0],
    ]);
    expect(await rows("SELECT id FROM orders")).deep.equal(["11"]);
    relay.commit([put(shop.customers, "1", "a@x", "good")]);
    await reached(relay.last);
    expect((await letters()).map(({ state }) => state)).deep.equal(["superseded", "applied", "applied"]);
    expect(await rows("SELECT id FROM orders ORDER BY id")).deep.equal(["10", "11", "12"]);
  });

  it("lets children try for themselves when a person discards their parent's letter", async () => {
    const { relay, shop, start, reached, until, letters, target } = stage();
    relay.commit([put(shop.customers, "1", "a@x", "bad"), put(shop.orders, "10", "1", "waits")]);
    const lane = start({ retry: { ...quick, delayMs: 60_000 } });
    await reached(relay.last);
    const [parent] = await letters();
    await until(() => lane.status().letters["waiting"] === 1, "the waiting letter counted");
    await target.letters.discard(parent!.id, "test", "not wanted");
    lane.nudge();
    await until(async () => (await letters())[1]?.state === "retrying", "an attempt of its own");
    expect((await letters())[1]).deep.include({ attempts: 1, code: "TARGET_FOREIGN_KEY" });
  });

  it("writes a valid final state beside a bad row, whatever order it takes", async () => {
    const { relay, shop, start, rows, reached, letters } = stage();
    relay.commit([put(shop.customers, "1", "a@x", "Ann"), put(shop.customers, "2", "b@x", "Bob")]);
    start({ retry: { ...quick, delayMs: 60_000 } });
    await reached(relay.last);
    relay.commit([
      put(shop.customers, "3", "c@x", "bad"),
      put(shop.customers, "1", "b@x", "Ann"),
      put(shop.customers, "2", "a@x", "Bob"),
    ]);
    await reached(relay.last);
    expect(await rows("SELECT * FROM customers ORDER BY id")).deep.equal(["1|b@x|Ann", "2|a@x|Bob"]);
    expect((await letters()).map(({ key }) => key)).deep.equal(['["3"]']);
  });

  it("leaves the new row alone that has taken the old key of a refused one, later in the same batch", async () => {
    const { relay, shop, start, rows, reached, letters } = stage();
    relay.commit([put(shop.customers, "1", "a@x", "Ann")]);
    const lane = start({ retry: { ...quick, delayMs: 60_000 } });
    await reached(relay.last);
    await lane[Symbol.asyncDispose]();
    relay.commit([move("1", shop.customers, "9", "a@x", "bad"), truncated(shop.orders)]);
    relay.commit([put(shop.customers, "1", "b@x", "Bob")]);
    start({ retry: { ...quick, delayMs: 60_000 } });
    await reached(relay.last);
    expect(await rows("SELECT * FROM customers")).deep.equal(["1|b@x|Bob"]);
    expect((await letters()).map(({ key, state }) => [key, state])).deep.equal([['["9"]', "retrying"]]);
  });

  it("pauses when many rows are refused, burns no attempt, and goes on when the target is mended", async () => {
    const { relay, shop, start, rows, reached, run, until, letters } = stage();
    relay.commit([put(shop.customers, "1", "a@x", "Ann")]);
    const lane = start({ retry: quick });
    await reached(relay.last);
    relay.commit(Array.from({ length: 40 }, (_, i) => put(shop.customers, `${i + 2}`, `${i}@x`, "bad")));
    await until(() => lane.status().state === "paused", "the pause");
    expect(lane.status().reason?.code).equal("TARGET_MANY_REFUSED");
    expect(await letters()).deep.equal([]);
    await run("ALTER TABLE customers DROP CONSTRAINT no_bad_name");
    await reached(relay.last);
    expect(await rows("SELECT count(*) AS n FROM customers")).deep.equal(["41"]);
    await until(() => lane.status().state === "running", "running again");
  });

  it("schedules letters again after Redis was emptied", async () => {
    const { relay, shop, start, reached, run, until, letters, redis } = stage();
    relay.commit([put(shop.customers, "1", "a@x", "bad")]);
    const lane = start({ retry: { ...quick, delayMs: 1_000 } });
    await reached(relay.last);
    await lane[Symbol.asyncDispose]();
    await redis((client) => client.flushall());
    await run("ALTER TABLE customers DROP CONSTRAINT no_bad_name");
    start();
    await until(async () => (await letters())[0]?.state === "applied", "the letter applied");
  });
}
