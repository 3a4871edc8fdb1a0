import { isLockstepError, type ChangeLog, type RegisteredTarget } from "@lockstep/core";
import { eventually, startProxy } from "@lockstep/testing";
import { expect } from "chai";
import { postgresChangeLog } from "../../src/index.js";
import type { Session, SourceDatabase } from "../fixture/database.js";
import { postgres } from "../fixture/postgres.js";

describe("waiting on PostgreSQL", () => {
  let db: SourceDatabase;
  let app: Session;
  let log: ChangeLog;

  // It takes ten seconds, which the other tests needn't wait for.
  let locked: ReturnType<typeof registerBehindLock> | undefined;

  before(() => {
    locked = registerBehindLock();
    locked.catch(() => undefined);
  });
  beforeEach(async () => {
    db = await postgres.open();
    app = await db.session();
    log = db.log();
  });
  afterEach(() => db.drop());

  const locks = async (): Promise<number> =>
    (await app.run("select 1 as one from pg_locks where locktype = 'advisory' and granted")).length;

  it("keeps no lock when it can't look, so that writers don't notify for ever", async () => {
    await log.wait(1);
    await eventually(async () => (await locks()) === 0, { what: "the lock to be let go" });
    await app.run("alter function lockstep.unread() rename to away");
    const failure = await log.wait(1).catch((error: unknown) => error);
    expect(isLockstepError(failure, "OUTBOX_MISSING"), String(failure)).to.equal(true);
    await eventually(async () => (await locks()) === 0, { what: "the lock to be let go" });
    await app.run("alter function lockstep.away() rename to unread");
    await log.wait(1);
  });

  it("notices within seconds that its connection is dead, and opens another", async () => {
    const { hostname, port } = new URL(db.url);
    await using proxy = await startProxy({ host: hostname, port: Number(port) });
    const far = postgresChangeLog({ connection: proxy.url(db.url), source: "test" });
    try {
      await far.wait(1);
      proxy.blackHole();
      const began = performance.now();
      const failure = await far.wait(100_000).catch((error: unknown) => error);
      expect(isLockstepError(failure, "SOURCE_UNAVAILABLE"), String(failure)).to.equal(true);
      expect(performance.now() - began).to.be.below(30_000);
      await proxy.heal();
      await far.wait(1);
    } finally {
      await far.close();
    }
  });

  it("waits for locks and stays in a transaction only so long", async () => {
    const { failure, target } = await locked!;
    expect(isLockstepError(failure, "SOURCE_UNAVAILABLE"), String(failure)).to.equal(true);
    expect(target).to.include({ name: "a" });
  });
});

/** What a registration comes to while somebody holds the lock that it takes, as a relay would that stopped in the middle of pruning, and after that. */
async function registerBehindLock(): Promise<{
  readonly failure: unknown;
  readonly target: RegisteredTarget;
}> {
  const db = await postgres.open();
  try {
    const app = await db.session();
    const log = db.log();
    await app.run("begin");
    await app.run("select from lockstep.state for update");
    const about = { id: "00000000-0000-4000-8000-00000000000a", name: "a", address: "a", partition: 0 };
    const failure = await log.register(about).catch((error: unknown) => error);
    await app.run("rollback");
    return { failure, target: await log.register(about) };
  } finally {
    await db.drop();
  }
}
