import type {
  LaneReport,
  Position,
  RelayReport,
  TargetAnnouncement,
  TargetConfirmation,
} from "@lockstep/core";
import { eventually } from "@lockstep/testing";
import { expect } from "chai";
import { keysOf, redisStatusReader, redisStreamReader, redisStreamWriter } from "../src/index.js";
import { codeOf, openStage } from "./support.js";

const target: TargetAnnouncement = { id: "t1", name: "copy", address: "db:5432/copy", partition: 0 };
const answer: TargetConfirmation = { start: "4-2", incarnation: "i", partitions: 2, state: "following" };
const relay: RelayReport = {
  source: "s",
  relay: "host:1",
  incarnation: "i",
  partitions: 1,
  leader: true,
  at: 1,
  published: "3-4",
  total: 9,
  backlogEvents: 0,
  backlogOldestMs: 0,
};
const lane: LaneReport = {
  source: "s",
  target: "copy",
  targetId: "t1",
  partition: 0,
  owner: "host:2",
  at: 1,
  state: "running",
  position: "3-4",
  total: 9,
  lagMs: 0,
  eventsBehind: 0,
  rowsPerSecond: 0,
  latencyMs: { p50: 1, p99: 2 },
  recordsSynced: 3,
  errorCount: 0,
  letters: {},
  lastErrors: [],
  seeded: false,
};

describe("what relay and lanes say to each other", () => {
  let stage: Awaited<ReturnType<typeof openStage>>;
  let writer: ReturnType<typeof redisStreamWriter>;
  let reader: ReturnType<typeof redisStreamReader>;
  let status: ReturnType<typeof redisStatusReader>;
  beforeEach(async () => {
    stage = await openStage();
    const options = { redis: stage.url, source: stage.source, wakeEveryMs: 0 };
    writer = redisStreamWriter(options);
    reader = redisStreamReader(options);
    status = redisStatusReader(options);
  });
  afterEach(async () => {
    await Promise.all([writer.close(), reader.close(), status.close()]);
    await stage.close();
  });

  it("passes an announcement on and its confirmation back", async () => {
    await reader.announce(target);
    expect(await writer.announcements()).to.deep.equal([target]);
    expect(await status.targets()).to.deep.equal([target]);
    expect(await reader.confirmation(target)).to.equal(undefined);
    await writer.confirm(target, answer);
    expect(await reader.confirmation(target)).to.deep.equal(answer);
  });

  it("forgets an announcement that nobody renewed for ten seconds", async () => {
    await reader.announce(target);
    const text = (await stage.redis.hget(keysOf(stage.source).targets, "t1:0"))!;
    const [ms, rest] = [text.slice(0, text.indexOf(" ")), text.slice(text.indexOf(" "))];
    expect(Math.abs(Number(ms) - Date.now())).to.be.lessThan(60_000);
    await stage.redis.hset(keysOf(stage.source).targets, "t1:0", `${Number(ms) - 10_001}${rest}`);
    expect(await writer.announcements()).to.deep.equal([]);
    expect(await stage.redis.hlen(keysOf(stage.source).targets)).to.equal(0);
  });

  it("keeps acknowledgements by target and partition", async () => {
    await reader.acknowledge(0, "t1", "4-2");
    await reader.acknowledge(0, "t2", "4-3");
    await reader.acknowledge(1, "t1", "5-1");
    expect([...(await writer.acks(0))]).to.have.deep.members([
      ["t1", "4-2"],
      ["t2", "4-3"],
    ]);
    expect([...(await writer.acks(1))]).to.deep.equal([["t1", "5-1"]]);
    await stage.redis.flushdb();
    expect([...(await writer.acks(0))]).to.deep.equal([]);
  });

  it("asks for catch-up and takes it back", async () => {
    await reader.requestCatchUp(0, "t1", "4-2");
    expect([...(await writer.catchUps(0))]).to.deep.equal([["t1", "4-2"]]);
    await reader.requestCatchUp(0, "t1", undefined);
    expect([...(await writer.catchUps(0))]).to.deep.equal([]);
  });

  it("moves a wish along with what is acknowledged, never back, and makes none", async () => {
    const wishAfter = async (position: Position): Promise<Position | undefined> => {
      await reader.acknowledge(0, "t1", position);
      return (await writer.catchUps(0)).get("t1");
    };
    expect(await wishAfter("9-9")).to.equal(undefined);
    await reader.requestCatchUp(0, "t1", "4-2");
    expect(await wishAfter("4-1")).to.equal("4-2");
    expect(await wishAfter("4-10")).to.equal("4-10");
    expect(await wishAfter("10-1")).to.equal("10-1");
    expect(await wishAfter("9-99999")).to.equal("10-1");
    // Restored from a backup: it asks from where it went back to, and is believed.
    await reader.requestCatchUp(0, "t1", "4-2");
    expect((await writer.catchUps(0)).get("t1")).to.equal("4-2");
    expect([...(await writer.catchUps(1))]).to.deep.equal([]);
  });

  it("forgets everything of a target and nothing of another", async () => {
    for (const id of ["t1", "t10"]) {
      for (const partition of [0, 1]) {
        await reader.announce({ ...target, id, partition });
        await writer.confirm({ ...target, id, partition }, answer);
        await reader.acknowledge(partition, id, "1-1");
        await reader.requestCatchUp(partition, id, "1-1");
        await writer.begin({ partition, target: id }, { epoch: "e", incarnation: "i", at: "1-1" });
      }
    }
    const before = (await stage.redis.keys("*")).length;
    await writer.forget({ id: "t1" });
    expect(await writer.announcements()).to.have.length(2);
    expect(await reader.confirmation(target)).to.equal(undefined);
    expect([...(await writer.acks(1)).keys()]).to.deep.equal(["t10"]);
    expect([...(await writer.catchUps(0)).keys()]).to.deep.equal(["t10"]);
    expect((await stage.redis.keys("*")).length).to.equal(before - 4);
  });

  it("wakes the relay for a new target, an unanswered one, a catch-up and an acknowledgement", async () => {
    let wakes = 0;
    writer.onWake(() => wakes++);
    await eventually(async () => wakes > 0, { what: "the wake after subscribing" });
    const wakesFor = async (work: Promise<void>): Promise<void> => {
      const before = wakes;
      await work;
      await eventually(async () => wakes > before, { what: "a wake" });
    };
    await wakesFor(reader.announce(target));
    await wakesFor(reader.announce(target));
    await wakesFor(reader.requestCatchUp(0, "t1", "1-1"));
    await wakesFor(reader.acknowledge(0, "t1", "1-1"));
    await writer.confirm(target, answer);
    const before = wakes;
    await reader.announce(target);
    await wakesFor(reader.acknowledge(0, "t1", "1-1"));
    expect(wakes).to.equal(before + 1);
  });

  it("shows the relay's and the lanes' reports while they are fresh", async () => {
    expect(await status.relay()).to.equal(undefined);
    await writer.report(relay);
    await reader.report(lane);
    await reader.report({ ...lane, partition: 1 });
    expect(await status.relay()).to.deep.equal(relay);
    expect(await reader.relay()).to.deep.equal(relay);
    expect(await status.lanes()).to.deep.equal([lane, { ...lane, partition: 1 }]);
    expect(await stage.redis.pttl(keysOf(stage.source).relay)).to.be.within(1, 10_000);
  });

  it("gives schemas by fingerprint and says when one isn't there", async () => {
    const schema = {
      engine: "postgres",
      namespace: "public",
      name: "orders",
      columns: [{ name: "id", type: "bigint", kind: "integer", nullable: false }],
      key: ["id"],
      fingerprint: "f1",
    } as const;
    expect(await codeOf(reader.schema("f1"))).to.equal("STREAM_SCHEMA_UNKNOWN");
    await writer.publishSchemas([schema]);
    expect(await reader.schema("f1")).to.deep.equal(schema);
    await stage.redis.flushdb();
    expect(await reader.schema("f1")).to.deep.equal(schema);
  });

  it("refuses a source name that would break the hash tags", async () => {
    for (const source of ["", "a}b", "a{b", "a b"]) {
      expect(() => redisStreamWriter({ redis: stage.url, source })).to.throw(/CONFIG_INVALID/);
    }
  });
});
