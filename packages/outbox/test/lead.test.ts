import { setTimeout as sleep } from "node:timers/promises";
import { isLockstepError } from "@lockstep/core";
import { eventually, startProxy, type FaultProxy } from "@lockstep/testing";
import { expect } from "chai";
import { connectionsTo as mysqlConnections } from "../src/mysql/connections.js";
import { candidateOf as mysqlCandidate } from "../src/mysql/lead.js";
import { connectionsTo as postgresConnections } from "../src/postgres/connections.js";
import { candidateOf as postgresCandidate, type Candidate } from "../src/postgres/lead.js";
import type { Engine, Session } from "./fixture/database.js";
import { engines } from "./fixture/engines.js";

const pulse = { everyMs: 1_000, silentMs: 3_000 };

/** A source, its app's session, a way to it that can be broken, and who would lead it. */
interface Stage extends AsyncDisposable {
  readonly url: string;
  readonly proxy: FaultProxy;
  candidate(url?: string, its?: typeof pulse): Candidate;
  /** The candidates' sessions that the server knows. */
  sessions(): Promise<string>;
}

async function openStage(engine: Engine): Promise<Stage> {
  const db = await engine.open();
  const app: Session = await db.session();
  const { hostname, port } = new URL(db.url);
  const proxy = await startProxy({ host: hostname, port: Number(port) });
  const closing: (() => Promise<unknown>)[] = [];
  const open = (url: string, its: typeof pulse) => {
    if (db.engine === "postgres") {
      const connections = postgresConnections(url, "lockstep test");
      return [connections, postgresCandidate(connections, "lockstep", its)] as const;
    }
    const connections = mysqlConnections(url);
    return [connections, mysqlCandidate(connections, "lockstep_", its)] as const;
  };
  return {
    url: db.url,
    proxy,
    candidate(url = db.url, its = pulse) {
      const [connections, made] = open(url, its);
      closing.push(() => made.close().then(() => connections.close()));
      return made;
    },
    sessions: async () =>
      JSON.stringify(
        await app.run(
          db.engine === "postgres"
            ? "select pid as id from pg_stat_activity where application_name = 'lockstep test' order by 1"
            : "select id from information_schema.processlist where db = database() and id <> connection_id() order by 1",
        ),
      ),
    async [Symbol.asyncDispose]() {
      await proxy.heal();
      for (const close of closing) await close();
      await proxy[Symbol.asyncDispose]();
      await db.drop();
    },
  };
}

/** Runs a test on every engine at once: most of its time is waiting. */
function onEveryEngine(title: string, test: (stage: Stage) => Promise<void>): void {
  it(title, async () => {
    const runs = engines.map(async (engine) => {
      await using stage = await openStage(engine);
      await test(stage).catch((cause: unknown) => {
        throw new Error(`on ${engine.name}: ${cause instanceof Error ? cause.message : String(cause)}`, {
          cause,
        });
      });
    });
    const failed = (await Promise.allSettled(runs)).filter((run) => run.status === "rejected");
    if (failed.length > 0) throw failed[0]!.reason;
  });
}

describe("leading", () => {
  onEveryEngine("gives up a session that no longer answers", async ({ candidate, proxy, url }) => {
    const leadership = await candidate(proxy.url(url)).lead();
    proxy.blackHole();
    await leadership!.lost;
  });

  onEveryEngine(
    "loses the lead when the server has heard nothing of it for a while",
    async ({ candidate, url }) => {
      // As if its process were stopped, or its host gone.
      const leadership = await candidate(url, { everyMs: 60_000, silentMs: 1_000 }).lead();
      const other = candidate();
      const next = await eventually(() => other.lead(), { what: "the lead" });
      await leadership!.lost;
      await next.release();
    },
  );

  onEveryEngine("keeps the lead of a relay that has nothing to do", async ({ candidate }) => {
    const leadership = await candidate().lead();
    let isLost = false;
    void leadership!.lost.then(() => (isLost = true));
    const other = candidate();
    const until = Date.now() + 1.5 * pulse.silentMs;
    while (Date.now() < until) {
      expect(await other.lead()).to.equal(undefined);
      await sleep(50);
    }
    expect(isLost).to.equal(false);
    await leadership!.release();
    const next = await eventually(() => other.lead(), { what: "the lead" });
    await next.release();
  });

  onEveryEngine(
    "stands by on one connection, and opens another when that was lost",
    async ({ candidate, proxy, sessions, url }) => {
      const none = await sessions();
      const leadership = await candidate().lead();
      const other = candidate(proxy.url(url));
      await other.lead();
      const before = await sessions();
      for (let i = 0; i < 10; i++) expect(await other.lead()).to.equal(undefined);
      expect(await sessions()).to.equal(before);
      proxy.reset();
      await eventually(async () => (await other.lead().catch(() => "lost")) === undefined, {
        what: "another try",
      });
      await leadership!.release();
      const next = await eventually(() => other.lead(), { what: "the lead" });
      await next.release();
      await eventually(async () => (await sessions()) === none, { what: "no session left" });
    },
  );

  onEveryEngine(
    "lets go within a bound when its session doesn't hear it",
    async ({ candidate, proxy, url }) => {
      // The server must not end it first.
      const never = { everyMs: 60_000, silentMs: 60_000 };
      const leadership = await candidate(proxy.url(url), never).lead();
      proxy.blackHole();
      const began = performance.now();
      await leadership!.release();
      expect(performance.now() - began).to.be.below(15_000);
    },
  );

  onEveryEngine(
    "says that the source doesn't answer, and keeps no session that doesn't",
    async ({ candidate, proxy, url }) => {
      const leadership = await candidate().lead();
      const other = candidate(proxy.url(url));
      await other.lead();
      proxy.blackHole();
      const failure = await other.lead().catch((error: unknown) => error);
      expect(isLockstepError(failure, "SOURCE_UNAVAILABLE"), String(failure)).to.equal(true);
      await proxy.heal();
      expect(await other.lead()).to.equal(undefined);
      await leadership!.release();
    },
  );
});
