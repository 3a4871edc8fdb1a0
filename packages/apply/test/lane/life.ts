import { isLockstepError, silentLogger } from "@lockstep/core";
import { startProxy } from "@lockstep/testing";
import { expect } from "chai";
import { put } from "../stage/changes.js";
import { openTarget } from "../stage/open-target.js";
import type { StageUse } from "./lane-suite.js";

/** How lanes begin, wait and end. */
export function lifeTests(stage: StageUse): void {
  it("waits for the relay before its first checkpoint, and is silent while it stands by", async () => {
    const { relay, shop, start, reached, until, target } = stage();
    relay.present = false;
    const said: string[] = [];
    const first = start({ logger: { ...silentLogger, info: (_, message) => void said.push(message) } });
    await until(() => said.includes("lane is owned"), "ownership");
    const second = start({ owner: "second" });
    relay.commit([put(shop.customers, "1", "a@x", "Ann")]);
    expect(await target.checkpoints()).deep.equal([]);
    relay.present = true;
    await reached(relay.last);
    await until(() => second.status().state === "starting", "standing by");
    const lanes = await stage().redis((client) => client.hvals(`{lockstep:${stage().source}}:lanes`));
    expect(lanes.join()).not.contain('"second"');
    await first[Symbol.asyncDispose]();
    await until(() => second.status().state === "running", "the second one running");
  });

  it("ends by itself when disposed, and tells the last position before", async () => {
    const { relay, shop, start, reached, source, target } = stage();
    relay.commit([put(shop.customers, "1", "a@x", "Ann")]);
    const lane = start();
    expect(lane.id).equal(`${source}:mirror:0`);
    await reached(relay.last);
    await lane[Symbol.asyncDispose]();
    await lane.done;
    const { id } = await target.open();
    const ack = await stage().redis((client) => client.hget(`{lockstep:${source}:0}:acks`, id));
    expect(ack).equal(relay.last);
  });

  it("is cut short when it doesn't drain in time", async () => {
    const { engine, relay, shop, start, reached, targetUrl } = stage();
    await using proxy = await startProxy({ port: Number(new URL(targetUrl).port) });
    const target = openTarget(engine, { name: "mirror", url: proxy.url(targetUrl) });
    const lane = start({ target, limits: { drainTimeoutMs: 300 } });
    relay.commit([put(shop.customers, "1", "a@x", "Ann")]);
    await reached(relay.last);
    proxy.blackHole();
    relay.commit([put(shop.customers, "2", "b@x", "Bob")]);
    await stage().until(() => (lane.status().lagMs ?? 0) > 0, "a step in flight");
    const began = performance.now();
    await lane[Symbol.asyncDispose]();
    expect(performance.now() - began).below(20_000);
    const error: unknown = await lane.done.catch((e: unknown) => e);
    expect(isLockstepError(error, "DRAIN_TIMEOUT"), String(error)).equal(true);
    await proxy.heal();
    await target.close();
  });

  it("refuses tables with foreign keys when there are several partitions, and takes the others", async () => {
    const { relay, shop, start, reached, until, rows } = stage();
    relay.partitions = 2;
    relay.commit([put(shop.customers, "1", "a@x", "Ann")]);
    const lane = start({ partitions: 2 });
    await reached(relay.last);
    relay.commit([put(shop.orders, "1", "1", "x"), put(shop.people, "1", "1")]);
    await until(() => lane.status().state === "halted", "the lane halted");
    expect(lane.status().reason).include({ code: "TARGET_FOREIGN_KEY_PARTITIONED" });
    expect(lane.status().reason?.message).include("orders").include("people");
    expect([await rows("SELECT id FROM orders"), await rows("SELECT id FROM people")]).deep.equal([[], []]);
  });

  it("refuses to read fewer partitions than there are", async () => {
    const { relay, start, until, target } = stage();
    relay.partitions = 2;
    const lane = start();
    await until(() => lane.status().reason?.code === "CONFIG_INVALID", "the refusal");
    expect(lane.status().reason?.message).include("the relay publishes 2, this consumer reads 1");
    expect(await target.checkpoints()).deep.equal([]);
  });

  it("halts for a table that is missing, says so, and goes on when it is there", async () => {
    const { relay, shop, start, run, until, reached, rows } = stage();
    await run("DROP TABLE orders");
    relay.commit([put(shop.customers, "1", "a@x", "Ann")]);
    const lane = start();
    await reached(relay.last);
    relay.commit([put(shop.orders, "10", "1", "first")]);
    await until(() => lane.status().state === "halted", "the halt");
    expect(lane.status().reason).deep.include({ code: "TARGET_TABLE_MISSING" });
    await run("CREATE TABLE orders (id integer NOT NULL PRIMARY KEY, customer integer, note varchar(200))");
    lane.nudge();
    await reached(relay.last);
    expect(await rows("SELECT * FROM orders")).deep.equal(["10|1|first"]);
  });

  it("says every second how it is", async () => {
    const { relay, shop, start, reached, source, until } = stage();
    const lane = start({ owner: "me" });
    relay.commit([put(shop.customers, "1", "a@x", "Ann")]);
    await reached(relay.last);
    const report = await until(async () => {
      const [text] = await stage().redis((client) => client.hvals(`{lockstep:${source}}:lanes`));
      const said = JSON.parse(text?.slice(text.indexOf(" ") + 1) ?? "{}") as ReturnType<typeof lane.status>;
      return said.position === relay.last && said.eventsBehind === 0 && said;
    }, "a report");
    expect(report).deep.include({
      owner: "me",
      target: "mirror",
      source,
      state: "running",
      recordsSynced: 1,
    });
  });
}
