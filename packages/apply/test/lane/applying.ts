import { expect } from "chai";
import { gone, move, put } from "../stage/changes.js";
import type { StageUse } from "./lane-suite.js";

/** Rows arrive, in order and whole. */
export function applyingTests(stage: StageUse): void {
  it("applies inserts, updates and deletes in the order of the stream", async () => {
    const { relay, shop, start, rows, reached } = stage();
    relay.commit([put(shop.customers, "1", "a@x", "Ann"), put(shop.customers, "2", "b@x", "Bob")]);
    relay.commit([put(shop.orders, "10", "1", "first"), put(shop.orders, "11", "2", null)]);
    relay.commit([put(shop.customers, "1", "a@x", "Anna"), gone(shop.orders, "11")]);
    start();
    await reached(relay.last);
    relay.commit([gone(shop.customers, "2"), put(shop.orders, "10", "1", "later")]);
    await reached(relay.last);
    expect(await rows("SELECT * FROM customers ORDER BY id")).deep.equal(["1|a@x|Anna"]);
    expect(await rows("SELECT * FROM orders ORDER BY id")).deep.equal(["10|1|later"]);
  });

  it("moves the checkpoint past a marker that comes alone", async () => {
    const { relay, shop, start, reached } = stage();
    relay.commit([put(shop.customers, "1", "a@x", "Ann")]);
    start();
    await reached(relay.last);
    relay.commit([{ op: "barrier", schema: "", key: "[]" }]);
    await reached(relay.last);
  });

  it("goes on from the checkpoint after a restart", async () => {
    const { relay, shop, start, rows, reached } = stage();
    relay.commit([put(shop.customers, "1", "a@x", "Ann")]);
    const first = start();
    await reached(relay.last);
    await first[Symbol.asyncDispose]();
    await first.done;
    relay.commit([put(shop.customers, "2", "b@x", "Bob")]);
    start();
    await reached(relay.last);
    expect(await rows("SELECT id FROM customers ORDER BY id")).deep.equal(["1", "2"]);
  });

  it("swaps unique values and keys of rows", async () => {
    const { relay, shop, start, rows, reached } = stage();
    relay.commit([put(shop.customers, "1", "a@x", "Ann"), put(shop.customers, "2", "b@x", "Bob")]);
    const lane = start();
    await reached(relay.last);
    relay.commit([
      put(shop.customers, "1", null, "Ann"),
      put(shop.customers, "2", "a@x", "Bob"),
      put(shop.customers, "1", "b@x", "Ann"),
    ]);
    await reached(relay.last);
    expect(await rows("SELECT * FROM customers ORDER BY id")).deep.equal(["1|b@x|Ann", "2|a@x|Bob"]);
    relay.commit([
      move("1", shop.customers, "9", "b@x", "Ann"),
      move("2", shop.customers, "1", "a@x", "Bob"),
      move("9", shop.customers, "2", "b@x", "Ann"),
    ]);
    await reached(relay.last);
    expect(await rows("SELECT * FROM customers ORDER BY id")).deep.equal(["1|a@x|Bob", "2|b@x|Ann"]);
    expect(lane.status()).deep.include({ errorCount: 0 });
  });

  it("gives a deleted row's unique value to a new one", async () => {
    const { relay, shop, start, rows, reached } = stage();
    relay.commit([put(shop.customers, "1", "a@x", "Ann")]);
    const lane = start();
    await reached(relay.last);
    relay.commit([gone(shop.customers, "1"), put(shop.customers, "3", "a@x", "Ann again")]);
    await reached(relay.last);
    expect(await rows("SELECT * FROM customers ORDER BY id")).deep.equal(["3|a@x|Ann again"]);
    expect(lane.status().errorCount).equal(0);
  });

  it("moves a parent's key with its children", async () => {
    const { relay, shop, start, rows, reached } = stage();
    relay.commit([put(shop.customers, "1", "a@x", "Ann"), put(shop.orders, "10", "1", "mine")]);
    const lane = start();
    await reached(relay.last);
    relay.commit([move("1", shop.customers, "5", "a@x", "Ann"), put(shop.orders, "10", "5", "mine")]);
    await reached(relay.last);
    expect(await rows("SELECT * FROM customers ORDER BY id")).deep.equal(["5|a@x|Ann"]);
    expect(await rows("SELECT * FROM orders ORDER BY id")).deep.equal(["10|5|mine"]);
    expect(lane.status().errorCount).equal(0);
  });

  it("writes rows that point to each other or to later ones, and removes them", async () => {
    const { relay, shop, start, rows, reached } = stage();
    const lane = start();
    relay.commit([put(shop.people, "1", "3"), put(shop.people, "2", "1"), put(shop.people, "3", "2")]);
    relay.commit([put(shop.people, "5", "4"), put(shop.people, "4", "5"), put(shop.people, "6", "5")]);
    await reached(relay.last);
    const partners = "SELECT id, partner FROM people ORDER BY id";
    expect(await rows(partners)).deep.equal(["1|3", "2|1", "3|2", "4|5", "5|4", "6|5"]);
    relay.commit([gone(shop.people, "2"), gone(shop.people, "1"), gone(shop.people, "3")]);
    relay.commit([put(shop.people, "6", "6"), gone(shop.people, "5"), gone(shop.people, "4")]);
    await reached(relay.last);
    expect(await rows(partners)).deep.equal(["6|6"]);
    expect(lane.status().errorCount).equal(0);
  });

  it("reports that it is caught up", async () => {
    const { relay, shop, start, reached, until } = stage();
    const lane = start();
    relay.commit([put(shop.customers, "1", "a@x", "Ann")]);
    await reached(relay.last);
    await until(() => lane.status().eventsBehind === 0 && lane.status().lagMs === 0, "no lag");
    const status = lane.status();
    expect(status).deep.include({ state: "running", position: relay.last, total: 1, recordsSynced: 1 });
    expect(status.latencyMs.p50).within(0, 5_000);
  });
}
