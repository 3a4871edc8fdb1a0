import { type ConflictPolicy, lastWriteWins, merge, primaryWins } from "@lockstep/core";
import { openSide } from "@lockstep/testing";
import { expect } from "chai";
import { gone, put } from "../stage/changes.js";
import type { ConflictUse } from "./conflict-suite.js";

/** Races, policies that fail, letters, very large transactions. */
export function accidentTests(stage: ConflictUse): void {
  const all = "SELECT id, email, name FROM customers ORDER BY id";

  it("meets a row that is inserted at the target while the lane looks, instead of overwriting it", async () => {
    const { relay, shop, guarded, rows, reached, recorded, targetUrl, until, engine } = stage();
    guarded({ customers: lastWriteWins({ column: "name" }) });
    relay.commit([put(shop.customers, "1", "1@x", "1")]);
    await reached(relay.last);
    await using local = await openSide(targetUrl);
    await local.query("BEGIN");
    await local.query("INSERT INTO customers VALUES (2, 'local', '9'), (3, 'local3', '0')");
    relay.commit([put(shop.customers, "2", "2@x", "5"), put(shop.customers, "3", "3@x", "5")]);
    // The lane has looked, found nothing, and its INSERT waits for ours.
    await until(async () => (await waiting(local, engine)) > 0, "the lane to wait");
    await local.query("COMMIT");
    await reached(relay.last);
    expect(await rows(all)).deep.equal(["1|1@x|1", "2|local|9", "3|3@x|5"]);
    expect(await recorded()).members([
      'shop.customers|["2"]|lastWriteWins|target',
      'shop.customers|["3"]|lastWriteWins|source',
    ]);
  });

  it("waits for a local update, and decides about what it has left", async () => {
    const { relay, shop, guarded, rows, reached, targetUrl, until, engine } = stage();
    guarded({ customers: lastWriteWins({ column: "name" }) });
    relay.commit([1, 2].map((i) => put(shop.customers, `${i}`, `${i}@x`, "1")));
    await reached(relay.last);
    await using local = await openSide(targetUrl);
    await local.query("BEGIN");
    await local.query("UPDATE customers SET name = '9' WHERE id = 1");
    await local.query("DELETE FROM customers WHERE id = 2");
    relay.commit([put(shop.customers, "1", "s", "5"), gone(shop.customers, "2")]);
    await until(async () => (await waiting(local, engine)) > 0, "the lane to wait");
    await local.query("COMMIT");
    await reached(relay.last);
    expect(await rows(all)).deep.equal(["1|1@x|9"]);
  });

  it("makes a letter of a row whose policy fails, writes the others, and decides anew when it is tried again", async () => {
    const { relay, shop, guarded, rows, reached, recorded, run, letters, until, target } = stage();
    let fails = true;
    const policy: ConflictPolicy = (source, row) => {
      if (fails && source?.["id"] === 1n) throw new Error("not today");
      if (fails && source?.["id"] === 2n) return { ...source, id: 7n };
      return row;
    };
    const lane = guarded({ customers: policy }, { retry: { attempts: 1 } });
    relay.commit([1, 2, 3, 4].map((i) => put(shop.customers, `${i}`, `${i}@x`, "a")));
    await reached(relay.last);
    await run("UPDATE customers SET name = 'local' WHERE id < 4");
    relay.commit([1, 2, 3, 4].map((i) => put(shop.customers, `${i}`, `${i}@x`, "b")));
    await reached(relay.last);
    expect(await rows(all)).deep.equal(["1|1@x|local", "2|2@x|local", "3|3@x|local", "4|4@x|b"]);
    const dead = await until(async () => {
      const found = await letters();
      return found.length === 2 && found.every(({ state }) => state === "dead") ? found : undefined;
    }, "two dead letters");
    expect(dead.map(({ key, code }) => `${key} ${code}`)).deep.equal([
      '["1"] CONFLICT_POLICY_FAILED',
      '["2"] CONFLICT_POLICY_FAILED',
    ]);
    expect((await target.letters.get(dead[0]!.id))?.image).equal('["1","1@x","b"]');
    expect(await recorded()).deep.equal(['shop.customers|["3"]|function|target']);
    fails = false;
    await target.letters.replay({ ids: dead.map(({ id }) => id) }, "test", 10);
    lane.nudge();
    await until(async () => (await letters()).every(({ state }) => state === "applied"), "both applied");
    expect(await recorded()).length(3);
    expect(await rows("SELECT name FROM customers WHERE id = 1")).deep.equal(["local"]);
  });

  it("records nothing of a row that is refused, and tries it again under the policy", async () => {
    const { relay, shop, guarded, rows, reached, recorded, run, letters, until, target, metric } = stage();
    const lane = guarded({ customers: merge({ email: "target" }) });
    relay.commit([1, 2].map((i) => put(shop.customers, `${i}`, `${i}@x`, "a")));
    await reached(relay.last);
    await run("UPDATE customers SET email = concat('local', id)");
    relay.commit([put(shop.customers, "1", "s", "bad"), put(shop.customers, "2", "s", "b")]);
    await reached(relay.last);
    expect(await rows(all)).deep.equal(["1|local1|a", "2|local2|b"]);
    expect(await recorded()).deep.equal(['shop.customers|["2"]|merge|merged']);
    expect(metric(lane)).deep.equal({ merged: 1 });
    await run("ALTER TABLE customers DROP CONSTRAINT no_bad_name");
    await run("UPDATE customers SET email = 'newer' WHERE id = 1");
    const [letter] = await letters();
    await target.letters.replay({ ids: [letter!.id] }, "test", 10);
    lane.nudge();
    await until(async () => (await letters())[0]?.state === "applied", "the letter applied");
    expect(await rows(all)).deep.equal(["1|newer|bad", "2|local2|b"]);
    expect(await recorded()).length(2);
  });

  it("decides in the pages of a very large transaction", async () => {
    const { relay, shop, guarded, rows, reached, recorded, run } = stage();
    guarded(
      { customers: lastWriteWins({ column: "name" }) },
      { limits: { maxBatchEvents: 40, partTimeoutMs: 50 } },
    );
    const many = (name: string) =>
      Array.from({ length: 100 }, (_, i) => put(shop.customers, `${i}`, `${i}@x`, name));
    relay.commit(many("1"), { entryEvents: 30 });
    await reached(relay.last);
    await run("UPDATE customers SET name = '9' WHERE id IN (7, 77)");
    await run("DELETE FROM customers WHERE id = 50");
    relay.commit(
      [...many("5"), put(shop.customers, "7", "7@x", "6"), put(shop.customers, "50", "50@x", "7")],
      { entryEvents: 30 },
    );
    await reached(relay.last);
    expect(await rows("SELECT name, count(*) AS n FROM customers GROUP BY name ORDER BY name")).deep.equal([
      "5|97",
      "7|1",
      "9|2",
    ]);
    expect((await recorded()).toSorted()).deep.equal([
      'shop.customers|["50"]|lastWriteWins|source',
      'shop.customers|["7"]|lastWriteWins|target',
      'shop.customers|["7"]|lastWriteWins|target',
      'shop.customers|["77"]|lastWriteWins|target',
    ]);
  });

  it("writes rows in each other's way, and rows that point to each other, under a policy", async () => {
    const { relay, shop, guarded, rows, reached, recorded, letters } = stage();
    guarded({ "*": primaryWins() });
    relay.commit([put(shop.customers, "1", "a@x", "a"), put(shop.customers, "2", "b@x", "b")]);
    await reached(relay.last);
    relay.commit([
      put(shop.customers, "1", "b@x", "a"),
      put(shop.customers, "2", "a@x", "b"),
      put(shop.people, "1", "2"),
      put(shop.people, "2", "1"),
    ]);
    await reached(relay.last);
    relay.commit([put(shop.customers, "2", "c@x", "b"), put(shop.people, "2", null), gone(shop.people, "1")]);
    await reached(relay.last);
    expect(await rows(all)).deep.equal(["1|b@x|a", "2|c@x|b"]);
    expect(await rows("SELECT id, partner FROM people")).deep.equal(["2|"]);
    expect([await recorded(), await letters()]).deep.equal([[], []]);
  });

  it("stops at a policy that doesn't fit its table, and says why", async () => {
    const { relay, shop, guarded, until, rows } = stage();
    const lane = guarded({ customers: lastWriteWins({ column: "changed_at" }) });
    relay.commit([put(shop.customers, "1", "1@x", "a")]);
    await until(() => lane.status().reason?.code === "CONFIG_INVALID", "the lane to stop");
    expect(lane.status().reason?.message).contain("there is no column changed_at");
    expect(await rows(all)).deep.equal([]);
  });
}

/** How many wait for a lock. */
async function waiting(
  local: { query(sql: string): Promise<readonly Record<string, unknown>[]> },
  engine: string,
): Promise<number> {
  if (engine === "postgres")
    return (await local.query("SELECT 1 AS n FROM pg_locks WHERE NOT granted")).length;
  const [status] = await local.query("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'");
  return Number(status?.["Value"]);
}
