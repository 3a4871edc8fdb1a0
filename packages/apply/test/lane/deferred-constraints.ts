import { expect } from "chai";
import { put } from "../stage/changes.js";
import type { StageUse } from "./lane-suite.js";

/** Constraints that the target checks at the commit only: none of its statements says which row is refused. */
export function deferredConstraintTests(stage: StageUse): void {
  const quick = { delayMs: 50, jitter: 0, attempts: 3 };
  beforeEach(() =>
    stage().run("ALTER TABLE orders ALTER CONSTRAINT of_customer DEFERRABLE INITIALLY DEFERRED"),
  );

  it("sets aside the row that fails at the commit, and no other", async () => {
    const { relay, shop, start, rows, reached, letters, target, until } = stage();
    relay.commit([put(shop.customers, "1", "a@x", "Ann")]);
    relay.commit([put(shop.orders, "10", "1", "good"), put(shop.orders, "11", "2", "nobody's")]);
    const lane = start({ retry: quick });
    await reached(relay.last);
    expect(await rows("SELECT id FROM orders")).deep.equal(["10"]);
    // Its retries fail at the commit too.
    const dead = async () => (await letters()).find(({ state }) => state === "dead");
    const letter = (await until(dead, "a dead letter"))!;
    expect(letter).deep.include({
      table: "shop.orders",
      key: '["11"]',
      code: "TARGET_FOREIGN_KEY",
      attempts: 3,
    });
    relay.commit([put(shop.customers, "2", "b@x", "Bob")]);
    await reached(relay.last);
    await target.letters.replay({ ids: [letter.id] }, "test", 10);
    lane.nudge();
    await until(async () => (await letters())[0]?.state === "applied", "the letter applied");
    expect(await rows("SELECT id FROM orders ORDER BY id")).deep.equal(["10", "11"]);
  });

  it("does so in a transaction that is staged", async () => {
    const { relay, shop, start, rows, reached, letters } = stage();
    relay.commit([put(shop.customers, "1", "a@x", "Ann")]);
    const orders = Array.from({ length: 400 }, (_, i) =>
      put(shop.orders, `${i}`, i === 222 ? "2" : "1", "one"),
    );
    relay.commit(orders, { entryEvents: 150 });
    start({ retry: quick, limits: { maxBatchEvents: 100 } });
    await reached(relay.last);
    expect(await rows("SELECT count(*) AS n FROM orders")).deep.equal(["399"]);
    expect((await letters()).map(({ key }) => key)).deep.equal(['["222"]']);
  });
}
