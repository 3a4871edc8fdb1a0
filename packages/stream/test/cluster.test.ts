import { positionOf } from "@lockstep/core";
import { eventually, freePort, startRedis, type RunningServer } from "@lockstep/testing";
import { expect } from "chai";
import { Redis } from "ioredis";
import {
  bullLetterSchedule,
  redisStatusReader,
  redisStreamReader,
  redisStreamWriter,
  startLetterWorker,
} from "../src/index.js";
import { chain } from "./support.js";

/** Two masters on 127.0.0.1 that share the slots. */
async function startCluster(): Promise<RunningServer[]> {
  const servers: RunningServer[] = [];
  const busPorts: number[] = [];
  for (let i = 0; i < 2; i++) {
    const busPort = await freePort();
    busPorts.push(busPort);
    const settings = { "cluster-enabled": "yes", "cluster-port": String(busPort), databases: "1" };
    servers.push(await startRedis({ settings }));
  }
  const [first, second] = servers.map((server) => new Redis(server.url));
  try {
    await first!.call("cluster", "ADDSLOTSRANGE", 0, 8191);
    await second!.call("cluster", "ADDSLOTSRANGE", 8192, 16383);
    await second!.call("cluster", "MEET", "127.0.0.1", servers[0]!.port, busPorts[0]!);
    for (const redis of [first!, second!]) {
      await eventually(
        async () =>
          String(await redis.call("cluster", "INFO")).includes(
            "cluster_state:ok\r\ncluster_slots_assigned:16384",
          ),
        { what: "the cluster" },
      );
    }
  } finally {
    first!.disconnect();
    second!.disconnect();
  }
  return servers;
}

describe("stream on a Redis Cluster", () => {
  let servers: RunningServer[];
  before(async () => {
    servers = await startCluster();
  });
  after(() => Promise.all(servers.map((server) => server[Symbol.asyncDispose]())));

  it("spreads partitions over the nodes and works in each", async () => {
    const redis = { nodes: servers.map(({ port }) => ({ host: "127.0.0.1", port })) };
    const options = { redis, source: "shop", wakeEveryMs: 0 };
    const writer = redisStreamWriter(options);
    const reader = redisStreamReader(options);
    const status = redisStatusReader(options);
    try {
      let wakes = 0;
      writer.onWake(() => wakes++);
      for (let partition = 0; partition < 6; partition++) {
        for (const feed of [{ partition }, { partition, target: "t1" }]) {
          await writer.begin(feed, { epoch: "e1", incarnation: "i", at: positionOf(0, 0) });
          await writer.append(feed, "e1", chain(0, 3));
          const read = { maxEntries: 10, blockMs: 10 };
          expect(await reader.read(feed, positionOf(0, 0), read)).to.have.length(3);
          expect(await reader.read(feed, positionOf(3, 1), read)).to.have.length(0);
          await writer.trim(feed, positionOf(1, 1));
          expect((await writer.head(feed))?.length).to.equal(2);
        }
        await reader.announce({ id: "t1", name: "t", address: "a", partition });
        await reader.acknowledge(partition, "t1", positionOf(2, 1));
        await reader.requestCatchUp(partition, "t1", positionOf(1, 1));
        expect((await writer.acks(partition)).get("t1")).to.equal("2-1");
      }
      expect(await status.targets()).to.have.length(6);
      await writer.forget({ id: "t1" });
      expect(await status.targets()).to.have.length(0);
      await eventually(async () => wakes > 1);
      const keys = await Promise.all(servers.map(({ url }) => keysIn(url)));
      expect(keys.every((count) => count > 0)).to.equal(true);
    } finally {
      await Promise.all([writer.close(), reader.close(), status.close()]);
    }
  });

  it("schedules letters there", async () => {
    const redis = { nodes: servers.map(({ port }) => ({ host: "127.0.0.1", port })) };
    const schedule = bullLetterSchedule({ redis, source: "shop" });
    let marked = 0;
    const worker = await startLetterWorker({ redis, source: "shop", markDue: async () => ++marked > 0 });
    try {
      const letter = { target: "t", source: "shop", partition: 0, letter: "1", attempt: 1 };
      let nudges = 0;
      schedule.onNudge(letter, () => nudges++);
      await eventually(async () => nudges > 0, { what: "the wake after subscribing" });
      const before = nudges;
      await schedule.schedule(letter, 10);
      await eventually(async () => marked === 1 && nudges > before);
    } finally {
      await worker[Symbol.asyncDispose]();
      await schedule.close();
    }
  });
});

async function keysIn(url: string): Promise<number> {
  const redis = new Redis(url);
  try {
    return await redis.dbsize();
  } finally {
    redis.disconnect();
  }
}
