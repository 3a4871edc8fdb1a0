import { silentLogger } from "@lockstep/core";
import { bullQueueTarget, type ChangeJob, type IdentifiedJob } from "@lockstep/stream";
import { eventually } from "@lockstep/testing";
import { Queue } from "bullmq";
import { expect } from "chai";
import type { QueueFeed } from "../../../src/relay/queue/queue-feed.js";
import { inserts, openStage, positionsOf, type Stage } from "../stage.js";

describe("queue feed", () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await openStage();
  });
  afterEach(() => stage.close());

  const memoryQueue = (fails = 0): QueueFeed & { readonly jobs: IdentifiedJob[] } => {
    const jobs: IdentifiedJob[] = [];
    let failures = fails;
    return {
      queue: "order-changed",
      tables: ["public.orders"],
      jobs,
      async add(more) {
        if (failures-- > 0) throw new Error("queue away");
        jobs.push(...more);
      },
    };
  };

  it("hands changes of its tables over in order, from its registration on", async () => {
    const feed = memoryQueue();
    stage.relay({ queues: [feed] });
    await eventually(async () => (await stage.log.targets()).length === 1);
    stage.log.commit(inserts(5), [{ key: "x", table: "elsewhere" }], inserts(70));
    await eventually(async () => feed.jobs.length >= 75);
    const mine = stage.log.committed.filter((e) => e.table.name === "orders");
    expect(feed.jobs.map((j) => j.data.position)).to.deep.equal(positionsOf(mine));
    await eventually(async () => (await stage.log.prunedThrough()) === "1-76");
  });

  it("makes no jobs of what is for certain targets only", async () => {
    const feed = memoryQueue();
    stage.relay({ queues: [feed] });
    await eventually(async () => (await stage.log.targets()).length === 1);
    stage.log.commit(inserts(2), [{ key: "again", op: "snapshot", audience: ["mirror"] }], inserts(1));
    await eventually(async () => feed.jobs.length >= 3);
    expect(feed.jobs.map((j) => j.data.op)).to.deep.equal(["insert", "insert", "insert"]);
  });

  it("goes on where the registry says, after a restart and while its queue is away", async () => {
    const first = memoryQueue();
    const relay = stage.relay({ queues: [first] });
    await eventually(async () => (await stage.log.targets()).length === 1);
    stage.log.commit(inserts(5));
    await eventually(async () => first.jobs.length === 5);
    await relay[Symbol.asyncDispose]();
    stage.log.commit(inserts(5));
    const second = memoryQueue(3);
    stage.relay({ queues: [second] });
    await eventually(async () => second.jobs.length >= 5);
    expect(second.jobs.map((j) => j.data.position)).to.deep.equal(positionsOf(stage.log.committed).slice(5));
  });

  it("is warned of a queue that is registered and no longer configured", async () => {
    const relay = stage.relay({ queues: [memoryQueue()] });
    await eventually(async () => (await stage.log.targets()).length === 1);
    await relay[Symbol.asyncDispose]();
    const warnings: object[] = [];
    stage.relay({ logger: { ...silentLogger, warn: (fields) => void warnings.push(fields) } });
    await eventually(async () => warnings.length > 0);
    expect(warnings[0]).to.include({ target: "queue:order-changed" });
  });

  it("adds jobs to a queue of BullMQ", async () => {
    const target = bullQueueTarget({ redis: stage.url, queue: "order-changed" });
    const queue = new Queue<ChangeJob>("order-changed", { connection: stage.redis });
    try {
      stage.relay({
        queues: [{ queue: target.queue, tables: ["public.orders"], add: (jobs) => target.add(jobs) }],
      });
      await eventually(async () => (await stage.log.targets()).length === 1);
      stage.log.commit(inserts(3));
      await eventually(async () => (await queue.getWaitingCount()) === 3);
      const jobs = await queue.getWaiting();
      expect(jobs.map((j) => j.data.position).toSorted()).to.deep.equal(["1-1", "1-2", "1-3"]);
      expect(jobs[0]?.data.row).to.have.property("note");
    } finally {
      await queue.close();
      await target.close();
    }
  });

  it("adds the jobs of two sources, and of an outbox made anew, that share a queue and its positions", async () => {
    const others = [await openStage(stage.url), await openStage(stage.url)];
    others[1]!.log.identity = "source-1, made anew";
    const target = bullQueueTarget({ redis: stage.url, queue: "shared" });
    const queue = new Queue<ChangeJob>("shared", { connection: stage.redis });
    try {
      for (const { log, source, relay } of [stage, ...others]) {
        // The outbox made anew has the name of the one before it.
        const name = log === others[1]!.log ? stage.source : source;
        const feed = { queue: target.queue, tables: ["public.orders"], add: target.add.bind(target) };
        const running = relay({ queues: [feed], source: name });
        await eventually(async () => (await log.targets()).length === 1);
        log.commit(inserts(3));
        await eventually(async () => (await log.targets())[0]?.position === "1-3");
        await running[Symbol.asyncDispose]();
      }
      expect(await queue.getWaitingCount()).to.equal(9);
    } finally {
      await queue.close();
      await target.close();
      for (const other of others) await other.close();
    }
  });
});
