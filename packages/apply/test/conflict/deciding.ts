import { lastWriteWins, mappingOf, merge } from "@lockstep/core";
import { expect } from "chai";
import { gone, move, put } from "../stage/changes.js";
import type { ConflictUse } from "./conflict-suite.js";

/** What policies decide, and what becomes of it. */
export function decidingTests(stage: ConflictUse): void {
  const all = "SELECT id, email, name FROM customers ORDER BY id";
  /** Decides by the name, which stands for a time. */
  const byName = lastWriteWins({ column: "name" });

  it("lets the later write stay on either side, and decides again with the source's next", async () => {
    const { relay, shop, guarded, rows, reached, recorded, run, metric } = stage();
    const lane = guarded({ customers: byName });
    relay.commit([1, 2].map((i) => put(shop.customers, `${i}`, `${i}@x`, "1")));
    await reached(relay.last);
    await run("UPDATE customers SET name = '5', email = concat('local', id) WHERE id IN (1, 2)");
    relay.commit([put(shop.customers, "1", "s1", "4"), put(shop.customers, "2", "s2", "6")]);
    await reached(relay.last);
    expect(await rows(all)).deep.equal(["1|local1|5", "2|s2|6"]);
    // Later than the first, earlier than the target's still.
    relay.commit([put(shop.customers, "1", "s1", "4.5"), put(shop.customers, "2", "s2", "5")]);
    await reached(relay.last);
    expect(await rows(all)).deep.equal(["1|local1|5", "2|s2|5"]);
    relay.commit([put(shop.customers, "1", "s1", "7"), gone(shop.customers, "2")]);
    await reached(relay.last);
    relay.commit([put(shop.customers, "1", "s1", "3")]);
    await reached(relay.last);
    expect(await rows(all)).deep.equal(["1|s1|3"]);
    expect(await recorded()).deep.equal([
      'shop.customers|["1"]|lastWriteWins|target',
      'shop.customers|["2"]|lastWriteWins|source',
      'shop.customers|["1"]|lastWriteWins|target',
      'shop.customers|["1"]|lastWriteWins|source',
    ]);
    expect(metric(lane)).deep.equal({ target: 2, source: 2 });
  });

  it("keeps what was merged of the target's over the source's later changes", async () => {
    const { relay, shop, guarded, rows, reached, recorded, run } = stage();
    guarded({ customers: merge({ email: "target", "*": "source" }) });
    relay.commit([put(shop.customers, "1", "1@x", "a")]);
    await reached(relay.last);
    await run("UPDATE customers SET email = 'local'");
    for (const name of ["b", "c"]) {
      relay.commit([put(shop.customers, "1", "1@x", name)]);
      await reached(relay.last);
      expect(await rows(all)).deep.equal([`1|local|${name}`]);
    }
    expect(await recorded()).deep.equal(Array(2).fill('shop.customers|["1"]|merge|merged'));
  });

  it("lets a function see both rows and their base, merge them, or remove the row", async () => {
    const { relay, shop, guarded, rows, reached, recorded, run } = stage();
    guarded({
      customers: (source, target, base) => {
        if (source === null) return target;
        if (target === null)
          return { ...source, name: `${String(source["name"])} after ${String(base?.["name"])}` };
        return target["name"] === "remove"
          ? null
          : { ...source, name: `${String(target["name"])}+${String(base?.["name"])}` };
      },
    });
    relay.commit([1, 2, 3, 4].map((i) => put(shop.customers, `${i}`, `${i}@x`, "base")));
    await reached(relay.last);
    await run("UPDATE customers SET name = CASE WHEN id = 2 THEN 'remove' ELSE 'local' END WHERE id < 4");
    await run("DELETE FROM customers WHERE id = 4");
    relay.commit([
      put(shop.customers, "1", "1@y", "s"),
      put(shop.customers, "2", "2@y", "s"),
      gone(shop.customers, "3"),
      put(shop.customers, "4", "4@y", "s"),
    ]);
    await reached(relay.last);
    expect(await rows(all)).deep.equal(["1|1@y|local+base", "3|3@x|local", "4|4@y|s after base"]);
    expect((await recorded()).map((line) => line.split("|").slice(1).join(" "))).members([
      '["1"] function merged',
      '["2"] function merged',
      '["3"] function target',
      '["4"] function merged',
    ]);
    // Kept against the source's deletion; gone on both sides it is no conflict.
    await run("DELETE FROM customers WHERE id IN (2, 3)");
    relay.commit([put(shop.customers, "3", "3@z", "new")]);
    await reached(relay.last);
    expect(await rows(`${all.replace("ORDER", "WHERE id = 3 ORDER")}`)).deep.equal(["3|3@z|new"]);
    expect(await recorded()).length(4);
  });

  it("lets deletions win or lose by `deletes`, and brings no row back that stays deleted", async () => {
    const { relay, shop, guarded, rows, reached, run } = stage();
    guarded({ customers: lastWriteWins({ column: "name", deletes: "target" }) });
    relay.commit([1, 2].map((i) => put(shop.customers, `${i}`, `${i}@x`, "1")));
    await reached(relay.last);
    await run("DELETE FROM customers WHERE id = 1");
    await run("UPDATE customers SET name = '0' WHERE id = 2");
    for (const name of ["2", "3"]) {
      relay.commit([put(shop.customers, "1", "1@x", name), gone(shop.customers, "2")]);
      await reached(relay.last);
      expect(await rows(all)).deep.equal(["2|2@x|0"]);
    }
  });

  it("takes a change of the key with the target's other columns, or without them", async () => {
    const { relay, shop, guarded, rows, reached, recorded, run } = stage();
    guarded({ customers: byName });
    relay.commit([1, 2, 3, 4].map((i) => put(shop.customers, `${i}`, `${i}@x`, "1")));
    await reached(relay.last);
    await run("UPDATE customers SET name = '5' WHERE id IN (1, 2)");
    await run("DELETE FROM customers WHERE id = 3");
    await run("INSERT INTO customers VALUES (14, 'taken', '0')");
    relay.commit([
      move("1", shop.customers, "11", "s1", "4"),
      move("2", shop.customers, "12", "s2", "6"),
      move("3", shop.customers, "13", "s3", "2"),
      move("4", shop.customers, "14", "s4", "2"),
    ]);
    await reached(relay.last);
    expect(await rows(all)).deep.equal(["11|1@x|5", "12|s2|6", "13|s3|2", "14|s4|2"]);
    expect((await recorded()).map((line) => line.split("|").slice(1).join(" "))).members([
      '["11"] lastWriteWins target',
      '["12"] lastWriteWins source',
      '["13"] lastWriteWins source',
      '["14"] lastWriteWins source',
    ]);
  });

  it("decides about the rows that a mapping makes, by the target's table and columns", async () => {
    const { relay, shop, guarded, rows, reached, recorded, run, letters, until } = stage();
    await run("CREATE TABLE clients (id integer NOT NULL PRIMARY KEY, label varchar(200), tag varchar(20))");
    const map = {
      customers: { to: "clients", columns: { id: true, label: "name", tag: { fixed: "x" } } },
    } as const;
    guarded({ clients: lastWriteWins({ column: "label" }) }, { mapping: mappingOf(map) });
    relay.commit([put(shop.customers, "1", "1@x", "1"), put(shop.customers, "2", "2@x", "1")]);
    await reached(relay.last);
    await run("UPDATE clients SET label = '5', tag = 'local'");
    relay.commit([put(shop.customers, "1", "1@x", "4"), put(shop.customers, "2", "2@x", "6")]);
    await reached(relay.last);
    expect(await rows("SELECT * FROM clients ORDER BY id")).deep.equal(["1|5|local", "2|6|x"]);
    expect(await recorded()).length(2);
    // Letters hold the source's row, whatever the policy makes of it.
    await run("ALTER TABLE clients ADD CONSTRAINT short CHECK (label <> '7')");
    relay.commit([put(shop.customers, "1", "mail", "7")]);
    const [letter] = await until(
      async () => ((await letters()).length > 0 ? letters() : undefined),
      "a letter",
    );
    expect(letter).include({ table: "shop.customers", key: '["1"]', code: "TARGET_CHECK" });
  });
}
