import { expect } from "chai";
import { gone, move, put, truncated } from "../stage/changes.js";
import type { MappingUse } from "./mapping-tools.js";

/** Rows arrive as the mapping says. */
export function mappedRowTests(stage: MappingUse): void {
  it("have the target's names, computed values and masks", async () => {
    const { relay, shop, map, rows, reached } = stage();
    map({
      customers: {
        to: "people_seen",
        columns: {
          number: "id",
          twice: { type: "integer", value: (row) => (row["id"] as bigint) * 2n },
          email: { hash: "email" },
          known: { type: "boolean", value: (row) => row["name"] !== null },
          origin: { fixed: "shop" },
        },
      },
      "*": false,
    });
    relay.commit([put(shop.customers, "1", "a@x", "Ann"), put(shop.customers, "2", null, null)]);
    relay.commit([put(shop.orders, "10", "1", "left out"), put(shop.customers, "3", "a@x", "Cy")]);
    await reached(relay.last);
    const sql =
      "SELECT number, twice, email, CASE WHEN known THEN 'y' ELSE 'n' END AS known, origin FROM people_seen ORDER BY number";
    const [first, second, third] = (await rows(sql)).map((row) => row.split("|"));
    expect(first).deep.equal(["1", "2", first![2], "y", "shop"]);
    expect(second).deep.equal(["2", "4", "", "n", "shop"]);
    expect([first![2], third![2]]).satisfy(([a, b]: string[]) => a === b && /^[0-9a-f]{64}$/.test(a!));
    expect(await rows("SELECT count(*) AS n FROM orders")).deep.equal(["0"]);
    relay.commit([move("1", shop.customers, "5", "b@x", "Ann"), gone(shop.customers, "2")]);
    await reached(relay.last);
    expect(await rows("SELECT number FROM people_seen ORDER BY number")).deep.equal(["3", "5"]);
  });

  it("go when they leave the filter, come when they enter it, and move in and out by their key", async () => {
    const { relay, shop, map, rows, reached } = stage();
    map({ customers: { to: "good", where: (row) => row["name"] !== "out" }, "*": false });
    relay.commit([
      put(shop.customers, "1", "a@x", "in"),
      put(shop.customers, "2", "b@x", "out"),
      put(shop.customers, "3", "c@x", "in"),
    ]);
    await reached(relay.last);
    const found = () => rows("SELECT id, name FROM good ORDER BY id");
    expect(await found()).deep.equal(["1|in", "3|in"]);
    relay.commit([
      put(shop.customers, "1", "a@x", "out"),
      put(shop.customers, "2", "b@x", "in"),
      move("3", shop.customers, "4", "c@x", "out"),
    ]);
    await reached(relay.last);
    expect(await found()).deep.equal(["2|in"]);
    // Keys change places while one of the two leaves.
    relay.commit([
      move("2", shop.customers, "9", "b@x", "in"),
      move("4", shop.customers, "2", "c@x", "in"),
      move("9", shop.customers, "4", "b@x", "out"),
    ]);
    await reached(relay.last);
    expect(await found()).deep.equal(["2|in"]);
    relay.commit([
      move("2", shop.customers, "7", "c@x", "in"),
      gone(shop.customers, "4"),
      gone(shop.customers, "1"),
    ]);
    await reached(relay.last);
    expect(await found()).deep.equal(["7|in"]);
  });

  it("of a soft-deleted row go, or stay as data", async () => {
    const { relay, shop, map, rows, reached } = stage();
    map({ orders: [{ to: "open", softDeleted: "note" }, { to: "every" }], "*": false });
    relay.commit([put(shop.orders, "1", null, null), put(shop.orders, "2", null, null)]);
    relay.commit([put(shop.orders, "1", null, "deleted")]);
    await reached(relay.last);
    expect(await rows("SELECT id FROM open")).deep.equal(["2"]);
    expect(await rows("SELECT id FROM every ORDER BY id")).deep.equal(["1", "2"]);
  });

  it("of several tables share one, and a TRUNCATE of one leaves the others' where they are", async () => {
    const { relay, shop, map, rows, reached } = stage();
    const share = (kind: string) => ({ kind: { fixed: kind }, id: true });
    map({
      customers: { to: "things", columns: { ...share("c"), label: "name" }, key: ["kind", "id"] },
      orders: { to: "things", columns: { ...share("o"), label: "note" }, key: ["kind", "id"] },
    });
    relay.commit([
      put(shop.customers, "1", null, "Ann"),
      put(shop.orders, "1", null, "first"),
      put(shop.orders, "2", null, "more"),
    ]);
    await reached(relay.last);
    const found = () => rows("SELECT kind, id, label FROM things ORDER BY kind, id");
    expect(await found()).deep.equal(["c|1|Ann", "o|1|first", "o|2|more"]);
    relay.commit([gone(shop.customers, "1")]);
    relay.commit([
      truncated(shop.orders),
      put(shop.orders, "3", null, "new"),
      put(shop.customers, "2", null, "Bob"),
    ]);
    await reached(relay.last);
    expect(await found()).deep.equal(["c|2|Bob", "o|3|new"]);
  });

  it("keep what is unknown where they are copied, and wait for it where it decides", async () => {
    const { relay, shop, map, rows, reached, letters } = stage();
    map({
      customers: [{ to: "copies" }, { to: "filtered", where: (row) => row["name"] !== "out" }],
      "*": false,
    });
    relay.commit([put(shop.customers, "1", "a@x", "in")]);
    await reached(relay.last);
    relay.commit([put(shop.customers, "1", 0, "later")]);
    await reached(relay.last);
    expect((await letters()).map(({ key, code, about }) => [key, code, about])).deep.equal([
      ['["1"]', "MAPPING_NEEDS_WHOLE_IMAGE", "email"],
    ]);
    expect(await rows("SELECT email, name FROM filtered")).deep.equal(["a@x|in"]);
    relay.commit([put(shop.customers, "1", "b@x", "newest")]);
    await reached(relay.last);
    expect((await letters()).map(({ state }) => state)).deep.equal(["superseded"]);
    for (const table of ["copies", "filtered"])
      expect(await rows(`SELECT email, name FROM ${table}`)).deep.equal(["b@x|newest"]);
  });

  it("are mapped in large transactions, too", async () => {
    const { relay, shop, map, rows, reached } = stage();
    map(
      { customers: { to: "many", where: (row) => (row["id"] as bigint) % 3n !== 0n }, "*": false },
      { limits: { maxBatchEvents: 50 } },
    );
    relay.commit(
      Array.from({ length: 400 }, (_, i) => put(shop.customers, `${i}`, null, `n${i}`)),
      { entryEvents: 40 },
    );
    await reached(relay.last);
    expect(await rows("SELECT count(*) AS n FROM many")).deep.equal(["266"]);
  });

  it("stop with one error that names all that doesn't fit the source", async () => {
    const { relay, shop, map, until } = stage();
    const lane = map({
      customers: { columns: { id: true, a: "no_such", b: "neither" } },
      orders: { columns: { note: true } },
    });
    relay.commit([put(shop.customers, "1", null, "Ann"), put(shop.orders, "1", null, "x")]);
    const { message } = await until(() => {
      const { reason } = lane.status();
      return reason?.code === "CONFIG_INVALID" && reason;
    }, "the refusal");
    for (const part of ["columns.a: there is no column no_such", "columns.b", "nothing holds id"])
      expect(message).contain(part);
  });
}
