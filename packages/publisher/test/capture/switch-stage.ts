import {
  isLockstepError,
  type CaptureKind,
  type OutboxWriter,
  type RunStatement,
  silentLogger,
} from "@lockstep/core";
import { eventually, freshMariaDb, freshPostgres } from "@lockstep/testing";
import { expect } from "chai";
import { setTimeout as sleep } from "node:timers/promises";
import {
  captureOf,
  type CaptureSource,
  type ChangeOver,
  outboxWriterOf,
  runAtSource,
  sourceOfUrl,
} from "../../src/capture/index.js";
import type { Relay } from "../../src/relay/index.js";
import { openStage, type Stage } from "../relay/stage.js";
import type { TestLane } from "../relay/test-lane.js";

/** A source whose capture changes while it is written to, and what follows it. */
export interface SwitchStage extends AsyncDisposable {
  readonly source: CaptureSource;
  readonly url: string;
  readonly namespace: string;
  readonly stage: Stage;
  readonly writer: OutboxWriter;
  /** Whether the application's sessions note what they write, as with `capture: "subscriber"`. */
  noting: boolean;
  sql(text: string): Promise<readonly Record<string, unknown>[]>;
  /** Lends what a switch works with. */
  over<T>(work: (over: ChangeOver) => Promise<T>, timeoutMs?: number): Promise<T>;
  /** Starts a relay, as a process that is configured with this capture has one. */
  relay(kind: CaptureKind): Relay;
  /** One write of row `id`, noted when the sessions note theirs. */
  write(id: number): Promise<void>;
  /** The same in a transaction that is open. */
  note(run: RunStatement, id: number): Promise<void>;
  /** Writes until it is stopped; each write counts up a row's version. */
  startWriting(): { stop(): Promise<void> };
  /** Waits until a lane holds what the source holds; no row may have gone back on the way, no position come twice. */
  followed(lane: TestLane): Promise<void>;
  kept(): Promise<unknown>;
}

/** Opens one; its table is `item`. */
export async function openSwitchStage(engine: "postgres" | "mysql"): Promise<SwitchStage> {
  const database = await (engine === "postgres" ? freshPostgres() : freshMariaDb());
  const stage = await openStage();
  const source = sourceOfUrl(database.url, { name: "test", outbox: {}, logger: silentLogger });
  const writer = outboxWriterOf(source);
  const namespace = engine === "postgres" ? "public" : new URL(database.url).pathname.slice(1);
  const table = { namespace, name: "item" };
  const sql: SwitchStage["sql"] = (text) => runAtSource(source, (run) => run(text));
  await runAtSource(source, async (run) => {
    await run("create table item (id bigint primary key, version bigint not null)");
    await writer.ensure(run);
    await writer.describe(run, [table]);
  });
  const upsert = (id: number): string =>
    engine === "postgres"
      ? `insert into item values (${id}, 1) on conflict (id) do update set version = item.version + 1`
      : `insert into item values (${id}, 1) on duplicate key update version = version + 1`;
  const transact = async (
    run: RunStatement,
    isNoting: boolean,
    ids: readonly number[],
    end: string,
  ): Promise<void> => {
    await run("begin");
    try {
      for (const id of ids) await run(upsert(id));
      const notes = ids.map((id) => ({ table, op: "update", key: [String(id)] }) as const);
      if (isNoting) await writer.append(run, notes, {});
      await run(end);
    } catch (error) {
      if (!isVictim(error)) throw error;
      await run("rollback");
    }
  };
  const self: SwitchStage = {
    source,
    url: database.url,
    namespace,
    stage,
    writer,
    noting: true,
    sql,
    over: (work, timeoutMs = 20_000) =>
      runAtSource(source, (run) =>
        work({ run, writer, tables: [table], timeoutMs, captureOf: (kind) => captureOf(kind, source) }),
      ),
    relay: (kind) => stage.relay({ log: captureOf(kind, source).changeLog() }),
    write: (id) => runAtSource(source, (run) => transact(run, self.noting, [id], "commit")),
    async note(run, id) {
      await run(upsert(id));
      await writer.append(run, [{ table, op: "update", key: [String(id)] }], {});
    },
    startWriting() {
      let isOver = false;
      const sessions = Array.from({ length: 3 }, () =>
        runAtSource(source, async (run) => {
          while (!isOver) {
            const end = Math.random() < 0.1 ? "rollback" : "commit";
            await transact(run, self.noting, anyIds(), end);
            await sleep(2);
          }
        }),
      );
      return {
        async stop() {
          isOver = true;
          await Promise.all(sessions);
        },
      };
    },
    async followed(lane) {
      const rows = await sql("select id, version from item");
      const expected = rows.map((row) => `${String(row["id"])},${String(row["version"])}`).toSorted();
      await eventually(async () => String(rowsOf(lane).toSorted()) === String(expected), {
        what: `${lane.id} to hold what the source holds`,
        timeoutMs: 30_000,
      });
      expect(whatWentBack(lane)).to.deep.equal([]);
      const places = lane.taken.map((position) => position.split("-").map(BigInt) as [bigint, bigint]);
      const disorder = places.findIndex((p, i) => {
        const before = places[i - 1];
        return before !== undefined && (p[0] < before[0] || (p[0] === before[0] && p[1] <= before[1]));
      });
      expect(disorder).to.equal(-1);
      expect(lane.confirmations).to.deep.equal(["following"]);
    },
    kept: () => runAtSource(source, (run) => writer.readCapture(run)),
    async [Symbol.asyncDispose]() {
      await stage.close();
      await database.drop();
    },
  };
  return self;
}

/** A few rows, in one order: sessions wait for each other, and no more. */
function anyIds(): readonly number[] {
  const ids = Array.from({ length: 3 }, () => Math.floor(Math.random() * 40));
  return [...new Set(ids)].toSorted((a, b) => a - b);
}

function isVictim(error: unknown): boolean {
  const cause = isLockstepError(error) ? error.cause : error;
  return (
    cause instanceof Error && "code" in cause && ["40P01", "ER_LOCK_DEADLOCK"].includes(String(cause.code))
  );
}

function* changesOf(lane: TestLane): Generator<readonly [id: string, version: bigint]> {
  for (const { op, image } of lane.entries.flatMap((entry) => entry.events)) {
    if (op === "barrier" || image === undefined) continue;
    const [id, version] = JSON.parse(image) as [string, string];
    yield [id, BigInt(version)];
  }
}

function rowsOf(lane: TestLane): string[] {
  return [...new Map(changesOf(lane))].map(([id, version]) => `${id},${version}`);
}

/** Rows of which a lane was given an older version behind a newer one. */
function whatWentBack(lane: TestLane): string[] {
  const versions = new Map<string, bigint>();
  const wrong: string[] = [];
  for (const [id, version] of changesOf(lane)) {
    const before = versions.get(id) ?? 0n;
    if (version < before) wrong.push(`${id}: ${version} behind ${before}`);
    versions.set(id, version);
  }
  return wrong;
}
