import type { DueLetter } from "@lockstep/core";
import { eventually } from "@lockstep/testing";
import { Queue } from "bullmq";
import { expect } from "chai";
import { bullLetterSchedule, letterQueue, startLetterWorker, type LetterWorker } from "../../src/index.js";
import { openStage } from "../support.js";

describe("letter schedule", () => {
  let stage: Awaited<ReturnType<typeof openStage>>;
  let schedule: ReturnType<typeof bullLetterSchedule>;
  let letter: DueLetter;
  let worker: LetterWorker | undefined;
  const work = async (markDue: (due: DueLetter) => Promise<boolean>): Promise<void> => {
    worker = await startLetterWorker({ redis: stage.url, source: stage.source, markDue });
  };
  beforeEach(async () => {
    stage = await openStage();
    schedule = bullLetterSchedule({ redis: stage.url, source: stage.source });
    letter = { target: "copy", source: stage.source, partition: 0, letter: "l:1", attempt: 1 };
  });
  afterEach(async () => {
    await worker?.[Symbol.asyncDispose]();
    await schedule.close();
    await stage.close();
  });

  const counts = async (): Promise<Record<string, number>> => {
    const { name, prefix } = letterQueue(stage.source);
    const queue = new Queue(name, { connection: stage.redis, prefix });
    try {
      return await queue.getJobCounts("delayed", "waiting", "failed", "completed", "active");
    } finally {
      await queue.close();
    }
  };

  it("schedules the same letter at the same attempt once", async () => {
    await schedule.schedule(letter, 60_000);
    await schedule.schedule(letter, 60_000);
    await schedule.schedule({ ...letter, attempt: 2 }, 60_000);
    await schedule.schedule({ ...letter, letter: "l:2" }, 60_000);
    expect((await counts())["delayed"]).to.equal(3);
  });

  it("marks a due letter and nudges its lane, and no other", async () => {
    const marked: DueLetter[] = [];
    const nudged: string[] = [];
    const listen = (target: string): (() => void) =>
      schedule.onNudge({ ...letter, target }, () => nudged.push(target));
    listen("copy");
    await eventually(async () => nudged.length > 0, { what: "the wake after subscribing" });
    nudged.length = 0;
    listen("other");
    await work(async (due) => marked.push(due) > 0);
    await schedule.schedule(letter, 20);
    await eventually(async () => nudged.length > 0);
    expect(marked).to.deep.equal([letter]);
    expect(nudged).to.deep.equal(["copy"]);
    await eventually(async () => Object.values(await counts()).every((n) => n === 0));
  });

  it("does not nudge for a letter that is no longer at that attempt", async () => {
    let asked = 0;
    await work(async () => ++asked < 0);
    let nudges = 0;
    schedule.onNudge(letter, () => nudges++);
    await eventually(async () => nudges === 1, { what: "the wake after subscribing" });
    await schedule.schedule(letter, 0);
    await eventually(async () => asked === 1);
    await schedule.nudge(letter);
    await eventually(async () => nudges === 2);
  });

  it("tries again when the target can't be asked", async () => {
    let asked = 0;
    await work(async () => {
      if (++asked === 1) throw new Error("target away");
      return true;
    });
    await schedule.schedule(letter, 0);
    await eventually(async () => asked === 2);
  });

  it("can be scheduled again at the same attempt after its job ran", async () => {
    let asked = 0;
    await work(async () => ++asked > 0);
    await schedule.schedule(letter, 0);
    await eventually(async () => asked === 1 && Object.values(await counts()).every((n) => n === 0));
    await schedule.schedule(letter, 0);
    await eventually(async () => asked === 2);
  });

  it("stops being called after it stopped listening", async () => {
    let stopped = 0;
    let heard = 0;
    const stop = schedule.onNudge(letter, () => stopped++);
    schedule.onNudge(letter, () => heard++);
    await eventually(async () => heard === 1, { what: "the wake after subscribing" });
    stop();
    const before = stopped;
    await schedule.nudge(letter);
    await eventually(async () => heard === 2);
    expect(stopped).to.equal(before);
  });
});
