import { NodeProcess } from "@lockstep/testing";
import { expect } from "chai";
import { gone, put, truncated } from "../stage/changes.js";
import type { StageUse } from "./lane-suite.js";

const laneProcess = new URL("../stage/lane-process.js", import.meta.url).pathname;
const limits = { maxBatchEvents: 200 };

/** Transactions larger than a batch. */
export function largeTransactionTests(stage: StageUse): void {
  it("stages a large transaction and shows it at once, at its end", async () => {
    const { relay, shop, start, rows, reached, until } = stage();
    relay.commit([put(shop.customers, "1", "a@x", "Ann")]);
    const lane = start({ limits });
    await reached(relay.last);
    const counts = new Set<string>();
    const changes = Array.from({ length: 5_000 }, (_, i) => put(shop.orders, `${i + 1}`, "1", `n${i}`));
    changes.push(gone(shop.orders, "7"), put(shop.orders, "8", "1", "last"));
    relay.commit(changes, { entryEvents: 150 });
    await until(async () => {
      for (const n of await rows("SELECT count(*) AS n FROM orders")) counts.add(n);
      return lane.status().position === relay.last;
    }, "the end of it");
    await reached(relay.last);
    expect(await rows("SELECT count(*) AS n FROM orders")).deep.equal(["4999"]);
    expect(await rows("SELECT note FROM orders WHERE id = 8")).deep.equal(["last"]);
    expect([...counts].filter((n) => n !== "0" && n !== "4999")).deep.equal([]);
    expect(await rows(`SELECT count(*) AS n FROM ${stage().own("staging")}`)).deep.equal(["0"]);
  });

  it("goes on in the middle of a large transaction after a kill", async () => {
    const { engine, targetUrl, redisUrl, source, relay, shop, start, rows, reached, until } = stage();
    relay.commit([put(shop.customers, "1", "a@x", "Ann")]);
    const total = 20_000;
    const changes = Array.from({ length: total }, (_, i) => put(shop.orders, `${i + 1}`, "1", `n${i}`));
    const LANE = JSON.stringify({ engine, targetUrl, redisUrl, source, limits: { maxBatchEvents: 500 } });
    await using child = await NodeProcess.start({ main: laneProcess, env: { LANE } });
    await reached(relay.last);
    relay.commit(changes, { entryEvents: 150 });
    // Its end comes when the process is gone.
    const [last] = relay.log.splice(-1);
    const staged = `SELECT count(*) AS n FROM ${stage().own("staging")}`;
    await until(async () => Number((await rows(staged))[0]) > 5_000, "some of it staged");
    await child.kill();
    expect(await rows("SELECT count(*) AS n FROM orders")).deep.equal(["0"]);
    relay.log.push(last!);
    start({ limits });
    await reached(relay.last);
    expect(await rows("SELECT count(*) AS n, sum(id) AS s FROM orders")).deep.equal([
      `${total}|${(total * (total + 1)) / 2}`,
    ]);
    expect(await rows(staged)).deep.equal(["0"]);
  });

  it("sets the bad rows of a large transaction aside", async () => {
    const { relay, shop, start, rows, reached, letters } = stage();
    const changes = Array.from({ length: 1_000 }, (_, i) =>
      put(shop.customers, `${i + 1}`, `${i}@x`, i % 300 === 5 ? "bad" : "good"),
    );
    changes.push(put(shop.customers, "6", "mended@x", "good"));
    start({ limits, retry: { delayMs: 60_000 } });
    relay.commit(changes, { entryEvents: 150 });
    await reached(relay.last);
    expect((await letters()).map(({ key }) => key)).deep.equal(['["306"]', '["606"]', '["906"]']);
    expect(await rows("SELECT count(*) AS n FROM customers")).deep.equal(["997"]);
    expect(await rows("SELECT email FROM customers WHERE id = 6")).deep.equal(["mended@x"]);
  });

  it("writes children that come pages before their parent", async () => {
    const { relay, shop, start, rows, reached, letters } = stage();
    const changes = Array.from({ length: 30 }, (_, i) => put(shop.orders, `${i + 1}`, "77", "early"));
    for (let i = 0; i < 600; i++) changes.push(put(shop.customers, `${i + 100}`, `${i}@x`, "other"));
    changes.push(put(shop.customers, "77", "late@x", "late"));
    start({ limits });
    relay.commit(changes, { entryEvents: 150 });
    await reached(relay.last);
    expect(await rows("SELECT count(*) AS n FROM orders")).deep.equal(["30"]);
    expect(await letters()).deep.equal([]);
  });

  it("stages the parts at hand when the next doesn't come", async () => {
    const { relay, shop, start, rows, until, reached } = stage();
    start();
    relay.commit([put(shop.customers, "1", "a@x", "one"), put(shop.customers, "2", "b@x", "two")], {
      entryEvents: 1,
    });
    const [last] = relay.log.splice(-1);
    const staged = `SELECT count(*) AS n FROM ${stage().own("staging")}`;
    await until(async () => (await rows(staged))[0] === "1", "a staged part");
    relay.log.push(last!);
    await reached(relay.last);
    expect(await rows("SELECT id FROM customers ORDER BY id")).deep.equal(["1", "2"]);
  });

  it("empties a table, and its letters with it", async () => {
    const { relay, shop, start, rows, reached, letters } = stage();
    relay.commit([put(shop.customers, "1", "a@x", "bad"), put(shop.customers, "2", "b@x", "good")]);
    start({ retry: { delayMs: 60_000 } });
    await reached(relay.last);
    relay.commit([truncated(shop.customers), put(shop.customers, "3", "c@x", "good")]);
    await reached(relay.last);
    expect(await rows("SELECT id FROM customers")).deep.equal(["3"]);
    expect((await letters()).map(({ state }) => state)).deep.equal(["superseded"]);
  });
}
