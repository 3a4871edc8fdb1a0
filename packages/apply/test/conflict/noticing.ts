import { primaryWins } from "@lockstep/core";
import { expect } from "chai";
import { gone, move, put, truncated } from "../stage/changes.js";
import type { ConflictUse } from "./conflict-suite.js";

/** What counts as a conflict, and what doesn't. */
export function noticingTests(stage: ConflictUse): void {
  const all = "SELECT id, email, name FROM customers ORDER BY id";

  it("takes rows that nobody else has touched for no conflict: inserts, updates, key changes, deletes", async () => {
    const { relay, shop, guarded, rows, reached, recorded } = stage();
    guarded({ customers: primaryWins() });
    relay.commit([1, 2, 3, 4].map((i) => put(shop.customers, `${i}`, `${i}@x`, "a")));
    await reached(relay.last);
    relay.commit([
      put(shop.customers, "1", "1@x", "b"),
      gone(shop.customers, "2"),
      move("3", shop.customers, "33", "3@x", "a"),
    ]);
    await reached(relay.last);
    relay.commit([
      put(shop.customers, "2", "2@x", "again"),
      put(shop.customers, "33", "3@x", "b"),
      put(shop.customers, "3", "33@x", "new"),
    ]);
    await reached(relay.last);
    expect(await rows(all)).deep.equal(["1|1@x|b", "2|2@x|again", "3|33@x|new", "4|4@x|a", "33|3@x|b"]);
    expect(await recorded()).deep.equal([]);
  });

  it("notices rows that were changed, made or deleted at the target", async () => {
    const { relay, shop, guarded, rows, reached, recorded, run } = stage();
    guarded({ "shop.customers": primaryWins() });
    relay.commit([1, 2, 3].map((i) => put(shop.customers, `${i}`, `${i}@x`, "a")));
    await reached(relay.last);
    await run("UPDATE customers SET name = 'local' WHERE id IN (1, 3)");
    await run("DELETE FROM customers WHERE id = 2");
    await run("INSERT INTO customers VALUES (5, '5@x', 'local'), (6, '6@x', 'same')");
    relay.commit([
      put(shop.customers, "1", "1@x", "b"),
      put(shop.customers, "2", "2@x", "b"),
      gone(shop.customers, "3"),
      put(shop.customers, "5", "5@x", "b"),
      put(shop.customers, "6", "6@x", "same"),
    ]);
    await reached(relay.last);
    expect(await rows(all)).deep.equal(["1|1@x|b", "2|2@x|b", "5|5@x|b", "6|6@x|same"]);
    expect((await recorded()).toSorted()).deep.equal(
      ["1", "2", "3", "5"].map((id) => `shop.customers|["${id}"]|primaryWins|source`),
    );
  });

  it("forgets what its rows were when a table is emptied", async () => {
    const { relay, shop, guarded, rows, reached, recorded } = stage();
    guarded({ "*": primaryWins() });
    relay.commit([put(shop.people, "1", null)]);
    await reached(relay.last);
    relay.commit([truncated(shop.people), put(shop.people, "1", "1")]);
    await reached(relay.last);
    expect(await rows("SELECT id, partner FROM people")).deep.equal(["1|1"]);
    expect(await recorded()).deep.equal([]);
  });
}
