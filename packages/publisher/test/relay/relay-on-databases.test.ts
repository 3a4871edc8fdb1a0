import type { ChangeLog, Engine } from "@lockstep/core";
import { mysqlChangeLog, postgresChangeLog } from "@lockstep/outbox";
import {
  eventually,
  freshMariaDb,
  freshPostgres,
  startProxy,
  startRedis,
  type FreshDatabase,
} from "@lockstep/testing";
import { expect } from "chai";
import { applied, openSourceWriters, type SourceWriters } from "./source-writers.js";
import { joined, openStage, type Stage } from "./stage.js";
import type { TestLane } from "./test-lane.js";

const databases = {
  postgres: { fresh: freshPostgres, log: postgresChangeLog },
  mysql: { fresh: freshMariaDb, log: mysqlChangeLog },
} as const;

for (const engine of ["postgres", "mysql"] as const) suite(engine);

function suite(engine: Engine): void {
  describe(`relay on ${engine}`, () => {
    let database: FreshDatabase;
    let writers: SourceWriters;
    let stage: Stage;
    const closing: (() => Promise<unknown>)[] = [];
    const logOf = (url = database.url): ChangeLog => {
      const log = databases[engine].log({ connection: url, source: stage.source });
      closing.push(() => log.close());
      return log;
    };

    beforeEach(async () => {
      database = await databases[engine].fresh();
      writers = await openSourceWriters(engine, database.url);
    });
    afterEach(async () => {
      await stage.close();
      await Promise.all(closing.splice(0).map((close) => close()));
      await writers[Symbol.asyncDispose]();
      await database.drop();
    });

    const followed = async (lane: TestLane): Promise<void> => {
      const expected = [...(await writers.rows())].toSorted();
      await eventually(async () => String([...applied(lane.entries)].toSorted()) === String(expected), {
        what: `${lane.id} to hold what the source holds`,
        timeoutMs: 30_000,
      });
      const positions = lane.taken.map((position) => position.split("-").map(Number) as [number, number]);
      const isOrdered = positions.every((p, i) => {
        const before = positions[i - 1];
        return !before || p[0] > before[0] || (p[0] === before[0] && p[1] > before[1]);
      });
      expect(isOrdered).to.equal(true);
    };

    it("publishes what concurrent sessions commit, and nothing they roll back", async () => {
      stage = await openStage();
      const relay = stage.relay({ log: logOf() });
      const lane = stage.lane("00000000-0000-4000-8000-000000000001");
      await joined(lane);
      await writers.write(60);
      await followed(lane);
      const prune = logOf();
      await eventually(async () => (await prune.targets()).every((t) => t.position === lane.position()));
      const status = relay.status();
      expect(status.phase === "leading" && status.total).to.equal(lane.taken.length);
    });

    it("loses and repeats nothing while Redis is emptied and relays come and go", async () => {
      await using redis = await startRedis();
      stage = await openStage(redis.url);
      const lanes = ["1", "2"].map((n) => stage.lane(`00000000-0000-4000-8000-00000000000${n}`));
      let relay = stage.relay({ log: logOf() });
      for (const lane of lanes) await joined(lane);
      for (let round = 0; round < 6; round++) {
        const writing = writers.write(15);
        if (round % 2 === 0) await stage.redis.flushall();
        const next = stage.relay({ log: logOf(), limits: { maxEntryEvents: 3 + round } });
        await relay[Symbol.asyncDispose]();
        relay = next;
        await writing;
      }
      for (const lane of lanes) await followed(lane);
      await stage.close();
    });

    it("waits while the source can't be reached, and goes on", async () => {
      const url = new URL(database.url);
      await using proxy = await startProxy({ port: Number(url.port) });
      stage = await openStage();
      const relay = stage.relay({ log: logOf(proxy.url(database.url)) });
      const lane = stage.lane("00000000-0000-4000-8000-000000000001");
      await joined(lane);
      await writers.write(5);
      await followed(lane);
      await proxy.cut();
      await writers.write(5);
      await eventually(async () => relay.status().phase === "backing-off");
      await proxy.heal();
      await followed(lane);
    });
  });
}
