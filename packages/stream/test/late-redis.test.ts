import { silentLogger, type DueLetter } from "@lockstep/core";
import { eventually, startRedis, type RunningServer } from "@lockstep/testing";
import { Queue } from "bullmq";
import { expect } from "chai";
import { bullLetterSchedule, bullQueueTarget, startLetterWorker } from "../src/index.js";
import { codeOf } from "./support.js";

const commandTimeoutMs = 300;

describe("Redis away at the start", () => {
  let redis: RunningServer;
  beforeEach(async () => {
    redis = await startRedis();
    await redis.stop();
  });
  afterEach(() => redis[Symbol.asyncDispose]());

  const letter = (n: number): DueLetter => ({
    target: "copy",
    source: "shop",
    partition: 0,
    letter: `l:${n}`,
    attempt: 1,
  });
  /** Schedules letters as soon as Redis lets it. */
  const scheduleAll = async (count: number): Promise<void> => {
    const schedule = bullLetterSchedule({ redis: redis.url, source: "shop", commandTimeoutMs });
    try {
      expect(await codeOf(schedule.schedule(letter(0), 0))).to.equal("STREAM_UNAVAILABLE");
      await redis.start();
      for (let n = 0; n < count; n++) {
        const scheduled = async (): Promise<boolean> =>
          (await codeOf(schedule.schedule(letter(n), 0))) === "no error";
        await eventually(scheduled, { what: "the schedule to reach Redis" });
      }
    } finally {
      await schedule.close();
    }
  };

  it("a queue of the user's own gets its jobs when Redis comes", async () => {
    const target = bullQueueTarget({ redis: redis.url, queue: "order-changed", commandTimeoutMs });
    const job = {
      id: "a-1-1",
      data: { source: "shop", table: "t", op: "insert", key: {}, position: "1-1", at: 1 },
    } as const;
    try {
      expect(await codeOf(target.add([job]))).to.equal("STREAM_UNAVAILABLE");
      await redis.start();
      await eventually(async () => (await codeOf(target.add([job]))) === "no error", {
        what: "the queue to take a job",
      });
      const queue = new Queue("order-changed", { connection: { url: redis.url } });
      expect(await queue.getWaitingCount()).to.equal(1);
      await queue.close();
    } finally {
      await target.close();
    }
  });

  it("letters that are due are marked when Redis comes", async () => {
    const marked: string[] = [];
    const markDue = async (due: DueLetter): Promise<boolean> => marked.push(due.letter) > 0;
    await using _ = await startLetterWorker({ redis: redis.url, source: "shop", commandTimeoutMs, markDue });
    await scheduleAll(3);
    // A call whose answer was late is made once more, and may find its job done.
    await eventually(async () => new Set(marked).size === 3);
  });

  it("a worker that stops taking jobs is replaced all the same", async () => {
    const warnings: string[] = [];
    const marked: string[] = [];
    const hanging: ((marked: boolean) => void)[] = [];
    await using _ = await startLetterWorker({
      redis: redis.url,
      source: "shop",
      commandTimeoutMs,
      stuckAfterMs: 200,
      logger: { ...silentLogger, warn: (_fields, message) => void warnings.push(message) },
      markDue: (due) =>
        warnings.includes("queue worker was stuck and is replaced")
          ? Promise.resolve(marked.push(due.letter) > 0)
          : new Promise((resolve) => hanging.push(resolve)),
    });
    await scheduleAll(12);
    await eventually(async () => marked.length >= 4, { what: "the new worker's letters" });
    for (const end of hanging) end(false);
  });
});
