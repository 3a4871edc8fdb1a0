import { setTimeout as sleep } from "node:timers/promises";
import { NodeProcess, startProxy } from "@lockstep/testing";
import { expect } from "chai";
import { openTarget } from "../stage/open-target.js";
import { put } from "../stage/changes.js";
import type { StageTools, StageUse } from "./lane-suite.js";

const laneProcess = new URL("../stage/lane-process.js", import.meta.url).pathname;

/** What must survive: kills, outages, holes, an emptied Redis. */
export function faultTests(stage: StageUse): void {
  it("applies everything once when its process is killed again and again", async () => {
    const { relay, rows, reached } = stage();
    const writing = writeLoad(stage(), 1_500);
    for (let kill = 0; kill < 4; kill++) {
      await using child = await startProcess(stage());
      await child.untilSays("lane is owned");
      await sleep(100 + 150 * kill);
      await child.kill();
    }
    await writing;
    await using child = await startProcess(stage());
    await reached(relay.last);
    expect(child.running).equal(true);
    expect(await rows("SELECT count(*) AS n, sum(id) AS s FROM orders")).deep.equal([expectedLoad(1_500)]);
    expect(await recordsSynced(stage())).equal(1_501);
  });

  it("hands the lane to another process within ten seconds of a kill, and no row is lost", async () => {
    const { relay, rows, reached, until } = stage();
    const writing = writeLoad(stage(), 800);
    await using first = await startProcess(stage());
    await first.untilSays("lane is owned");
    await using second = await startProcess(stage());
    // How long a process takes to start is not what is measured.
    await second.untilSays("started");
    await until(async () => Number((await rows("SELECT count(*) AS n FROM orders"))[0]) > 50, "some rows");
    expect(second.output.join()).not.contain("lane is owned");
    const killed = performance.now();
    await first.kill();
    await second.untilSays("lane is owned", 10_000);
    expect(performance.now() - killed).below(10_000);
    await writing;
    await reached(relay.last);
    expect(await rows("SELECT count(*) AS n, sum(id) AS s FROM orders")).deep.equal([expectedLoad(800)]);
  });

  it("loses nothing when Redis is emptied in the middle of a load", async () => {
    const { relay, start, rows, reached, redis, until } = stage();
    start();
    const writing = writeLoad(stage(), 1_500);
    await until(async () => Number((await rows("SELECT count(*) AS n FROM orders"))[0]) > 100, "some rows");
    for (let i = 0; i < 3; i++) {
      await redis((client) => client.flushall());
      await sleep(200);
    }
    await writing;
    await reached(relay.last);
    expect(await rows("SELECT count(*) AS n, sum(id) AS s FROM orders")).deep.equal([expectedLoad(1_500)]);
  });

  it("catches up from the outbox behind a trimmed stream, and rejoins", async () => {
    const { relay, start, shop, rows, reached, until } = stage();
    relay.commit([put(shop.customers, "1", "a@x", "Ann")]);
    const first = start();
    await reached(relay.last);
    await first[Symbol.asyncDispose]();
    for (let i = 1; i <= 300; i++) relay.commit([put(shop.orders, `${i}`, "1", "late")]);
    const middle = relay.log.at(150)!.id;
    await until(async () => {
      await relay.trim(middle);
      return (await stage().redis((c) => c.xlen(`{lockstep:${stage().source}:0}:changes:v1`))) === 150;
    }, "the trim");
    const said: string[] = [];
    const say = (_: object, message: string): void => void said.push(message);
    const lane = start({ logger: { debug: say, info: say, warn: say, error: say } });
    await until(() => said.includes("lane fell behind the stream, asks to catch up"), "the gap");
    await reached(relay.last);
    await until(() => lane.status().state === "running", "running again");
    relay.commit([put(shop.orders, "999", "1", "after")]);
    await reached(relay.last);
    expect(await rows("SELECT count(*) AS n FROM orders")).deep.equal(["301"]);
    await until(() => said.includes("lane follows the main stream again"), "the main stream");
    const wishes = () => stage().redis((c) => c.hlen(`{lockstep:${stage().source}:0}:catchups`));
    await until(async () => (await wishes()) === 0, "no wish left");
  });

  it("asks to be fed from where it is, not from where it began, when its feed falls silent", async () => {
    const { relay, start, shop, reached, until, redis, source } = stage();
    relay.commit([put(shop.customers, "1", "a@x", "Ann")]);
    const first = start();
    await reached(relay.last);
    await first[Symbol.asyncDispose]();
    for (let i = 1; i <= 300; i++) relay.commit([put(shop.orders, `${i}`, "1", "late")]);
    await until(async () => {
      await relay.trim(relay.log.at(250)!.id);
      return (await redis((c) => c.xlen(`{lockstep:${source}:0}:changes:v1`))) === 50;
    }, "the trim");
    // The feed stops on the way, as if its relay were gone.
    relay.feedsThrough = relay.log.at(100)!.id;
    let skew = 0;
    start({ elapsed: () => performance.now() + skew });
    await reached(relay.feedsThrough);
    const wishes = () => redis((c) => c.hvals(`{lockstep:${source}:0}:catchups`));
    await until(async () => (await wishes())[0] === relay.feedsThrough, "the wish to move along");
    await redis((c) => c.del(`{lockstep:${source}:0}:catchups`));
    skew = 5_001;
    await until(async () => (await wishes())[0] === relay.feedsThrough, "the wish made again");
    relay.feedsThrough = undefined;
    await reached(relay.last);
  });

  it("halts when the source no longer holds what it needs", async () => {
    const { relay, start, shop, reached, until } = stage();
    relay.commit([put(shop.customers, "1", "a@x", "Ann")]);
    const first = start();
    await reached(relay.last);
    await first[Symbol.asyncDispose]();
    relay.state = "needs-backfill";
    const answers = () => stage().redis((c) => c.hvals(`{lockstep:${stage().source}}:confirmations`));
    await until(async () => (await answers()).join().includes("needs-backfill"), "the relay's answer");
    relay.commit([put(shop.customers, "2", "b@x", "Bob")]);
    const lane = start();
    await until(() => lane.status().state === "halted", "the halt");
    expect(lane.status().reason?.code).equal("HISTORY_GONE");
    relay.state = "following";
    await until(() => {
      lane.nudge();
      return lane.status().state === "running";
    }, "running again");
    await reached(relay.last);
  });

  it("halts when the relay serves another source, though nothing comes of it", async () => {
    const { relay, start, shop, reached, until } = stage();
    relay.commit([put(shop.customers, "1", "a@x", "Ann")]);
    const lane = start();
    await reached(relay.last);
    relay.incarnation = "source-2";
    await until(() => lane.status().state === "halted", "the halt");
    expect(lane.status().reason?.code).equal("SOURCE_REPLACED");
  });

  it("halts when the stream comes from another source", async () => {
    const { relay, start, shop, reached, until, rows } = stage();
    relay.commit([put(shop.customers, "1", "a@x", "Ann")]);
    const lane = start();
    await reached(relay.last);
    relay.incarnation = "source-2";
    relay.commit([put(shop.customers, "2", "b@x", "Bob")]);
    await until(() => lane.status().state === "halted", "the halt");
    expect(lane.status().reason?.code).equal("SOURCE_REPLACED");
    expect(await rows("SELECT id FROM customers")).deep.equal(["1"]);
  });

  it("pauses while the target is away, burns no attempt, and goes on, also when its clock is put back meanwhile", async () => {
    const { engine, relay, start, shop, reached, until, targetUrl, letters, rows } = stage();
    const { port } = new URL(targetUrl);
    await using proxy = await startProxy({ port: Number(port) });
    const target = openTarget(engine, { name: "mirror", url: proxy.url(targetUrl) });
    let skew = 0;
    const lane = start({ target, now: () => Date.now() + skew });
    relay.commit([put(shop.customers, "1", "a@x", "Ann")]);
    await reached(relay.last);
    await proxy.cut();
    relay.commit([put(shop.customers, "2", "b@x", "Bob")]);
    await until(() => lane.status().state === "paused", "the pause");
    expect(lane.status().reason?.code).equal("TARGET_UNAVAILABLE");
    await until(() => lane.status().eventsBehind === 1 && (lane.status().lagMs ?? 0) > 0, "lag");
    skew = -3_600_000;
    await proxy.heal();
    await reached(relay.last);
    expect(await letters()).deep.equal([]);
    expect(await rows("SELECT id FROM customers ORDER BY id")).deep.equal(["1", "2"]);
    await lane[Symbol.asyncDispose]();
    await target.close();
  });

  it("survives connections that break at any moment", async () => {
    const { engine, relay, start, reached, targetUrl, rows } = stage();
    const { port } = new URL(targetUrl);
    await using proxy = await startProxy({ port: Number(port) });
    const target = openTarget(engine, { name: "mirror", url: proxy.url(targetUrl) });
    const lane = start({ target });
    const writing = writeLoad(stage(), 1_500);
    for (let i = 0; i < 8; i++) {
      await sleep(120 + 37 * i);
      proxy.reset();
    }
    await writing;
    await reached(relay.last);
    expect(await rows("SELECT count(*) AS n, sum(id) AS s FROM orders")).deep.equal([expectedLoad(1_500)]);
    expect(await recordsSynced(stage())).equal(1_501);
    await lane[Symbol.asyncDispose]();
    await target.close();
  });

  it("goes on from where its target is, when that went back under it", async () => {
    const { relay, start, shop, rows, run, reached, until, own } = stage();
    start();
    relay.commit([put(shop.customers, "1", "a@x", "Ann")]);
    const before = relay.last;
    await reached(before);
    relay.commit([put(shop.customers, "2", "b@x", "Bob")]);
    await reached(relay.last);
    // As a restored backup does, while the session stays.
    await run("DELETE FROM customers WHERE id = 2");
    await run(`UPDATE ${own("checkpoint")} SET position = '${before}'`);
    const names = () => rows("SELECT name FROM customers ORDER BY id");
    await until(async () => (await names()).length === 2, "what was applied since");
    relay.commit([put(shop.customers, "3", "c@x", "Cid")]);
    await reached(relay.last);
    expect(await names()).deep.equal(["Ann", "Bob", "Cid"]);
  });

  it("obeys a person's pause, and resumes", async () => {
    const { relay, start, shop, reached, until, target, source, rows } = stage();
    const lane = start();
    relay.commit([put(shop.customers, "1", "a@x", "Ann")]);
    await reached(relay.last);
    await target.setPaused({ source, partition: 0 }, true);
    await until(() => lane.status().state === "paused", "the pause");
    expect(lane.status().reason?.code).equal("PAUSED");
    relay.commit([put(shop.customers, "2", "b@x", "Bob")]);
    await sleep(300);
    expect(await rows("SELECT id FROM customers")).deep.equal(["1"]);
    await target.setPaused({ source, partition: 0 }, false);
    lane.nudge();
    await reached(relay.last);
  });

  it("never shows a reader half a transaction", async () => {
    const { relay, start, shop, reached, rows } = stage();
    relay.commit([put(shop.customers, "1", "a@x", "0"), put(shop.customers, "2", "b@x", "0")]);
    start();
    await reached(relay.last);
    const stop = new AbortController();
    const seen: string[] = [];
    const reading = (async () => {
      while (!stop.signal.aborted || seen.length <= 5) {
        seen.push(...(await rows("SELECT count(DISTINCT name) AS n FROM customers WHERE id IN (1, 2)")));
      }
    })();
    for (let i = 1; i <= 400; i++) {
      relay.commit([put(shop.customers, "1", "a@x", `${i}`), put(shop.customers, "2", "b@x", `${i}`)]);
      if (i % 20 === 0) await sleep(10);
    }
    await reached(relay.last);
    stop.abort();
    await reading;
    expect(new Set(seen)).deep.equal(new Set(["1"]));
  });
}

async function startProcess(stage: StageTools): Promise<NodeProcess> {
  const { engine, targetUrl, redisUrl, source } = stage;
  const LANE = JSON.stringify({ engine, targetUrl, redisUrl, source, limits: { maxBatchEvents: 50 } });
  return NodeProcess.start({ main: laneProcess, env: { LANE } });
}

/** Commits one order per transaction, over about a second and a half. */
async function writeLoad({ relay, shop }: StageTools, orders: number): Promise<void> {
  relay.commit([put(shop.customers, "1", "a@x", "Ann")]);
  for (let i = 1; i <= orders; i++) {
    relay.commit([put(shop.orders, `${i}`, "1", `note ${i}`)]);
    if (i % 10 === 0) await sleep(10);
  }
}

function expectedLoad(orders: number): string {
  return `${orders}|${(orders * (orders + 1)) / 2}`;
}

async function recordsSynced({ target, source }: StageTools): Promise<number | undefined> {
  return (await target.checkpoints()).find((lane) => lane.source === source)?.recordsSynced;
}
