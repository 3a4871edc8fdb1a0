import { Queue } from "bullmq";
import { expect } from "chai";
import { bullQueueTarget, type ChangeJob, type IdentifiedJob } from "../../src/index.js";
import { codeOf, openStage } from "../support.js";

const job = (position: string): IdentifiedJob => ({
  id: `shop-${position}`,
  data: {
    source: "shop",
    table: "public.orders",
    op: "update",
    key: { id: "9007199254740993" },
    row: { id: "9007199254740993", note: null },
    position,
    at: 1,
  },
});

describe("queue target", () => {
  it("adds jobs in order, once each, under their ids", async () => {
    const stage = await openStage();
    const target = bullQueueTarget({ redis: stage.url, queue: "order-changed" });
    const queue = new Queue<ChangeJob>("order-changed", { connection: stage.redis });
    try {
      await target.add([job("1-1"), job("1-2")]);
      await target.add([job("1-2"), job("2-1")]);
      await target.add([]);
      const jobs = await queue.getJobs(["waiting"], 0, -1, true);
      expect(jobs.map((j) => j.id)).to.deep.equal(["shop-1-1", "shop-1-2", "shop-2-1"]);
      expect(jobs[0]?.data).to.deep.equal(job("1-1").data);
      expect(jobs[0]?.name).to.equal("update");
    } finally {
      await queue.close();
      await target.close();
      await stage.close();
    }
  });

  it("fails in bounded time when Redis can't be reached", async () => {
    const target = bullQueueTarget({ redis: "redis://127.0.0.1:1", queue: "q", commandTimeoutMs: 200 });
    try {
      expect(await codeOf(target.add([job("1-1")]))).to.equal("STREAM_UNAVAILABLE");
    } finally {
      await target.close();
    }
  });
});
