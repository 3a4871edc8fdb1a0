import type { CaptureKind, JobStore } from "@lockstep/core";
import { mysqlJobStore, postgresJobStore } from "@lockstep/outbox";
import { eventually, NodeProcess } from "@lockstep/testing";
import { expect } from "chai";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  beginChangeOver,
  captureOf,
  type ChangeOver,
  claimCapture,
  finishChangeOver,
  runAtSource,
} from "../../src/capture/index.js";
import { joined } from "../relay/stage.js";
import type { TestLane } from "../relay/test-lane.js";
import { openSwitchStage, type SwitchStage } from "./switch-stage.js";

const script = fileURLToPath(new URL("./switch-process.js", import.meta.url));
const newcomer = { id: "00000000-0000-4000-8000-000000000009", name: "new", address: "a", partition: 0 };

const rounds = {
  postgres: ["wal", "trigger", "wal", "subscriber"],
  mysql: ["binlog", "trigger", "binlog", "subscriber"],
} as const satisfies Record<string, readonly CaptureKind[]>;

for (const [engine, kinds] of Object.entries(rounds) as ["postgres" | "mysql", readonly CaptureKind[]][]) {
  describe(`changing the capture while it is written to: ${engine}`, () => {
    let at: SwitchStage;
    let lanes: TestLane[];

    const start = async (): Promise<void> => {
      at.relay("subscriber");
      lanes = [1, 2].map((n) =>
        at.stage.lane(`00000000-0000-4000-8000-00000000000${n}`, { slowMs: (n - 1) * 5 }),
      );
      for (const lane of lanes) await joined(lane);
    };
    beforeEach(async () => {
      at = await openSwitchStage(engine);
    });
    afterEach(() => at[Symbol.asyncDispose]());

    it(`${["subscriber", ...kinds].join(" → ")}: nothing lost, nothing goes back, targets don't notice`, async () => {
      await start();
      const writing = at.startWriting();
      for (const kind of kinds) {
        await sleep(150);
        // A process that is configured anew stands by beside those that aren't yet.
        at.relay(kind);
        await at.over((over) => beginChangeOver(over, kind));
        if (kind === "subscriber") at.noting = true;
        await sleep(150);
        await at.over((over) => finishChangeOver(over, kind));
        at.noting = kind === "subscriber";
        expect(await at.kept()).to.deep.equal({ kind });
      }
      await sleep(100);
      await writing.stop();
      for (const lane of lanes) await at.followed(lane);
    });

    it("killed at any moment and run again, it ends where it was to go", async () => {
      await start();
      const [log] = kinds;
      const writing = at.startWriting();
      for (const kind of [log!, "trigger"] as const) {
        at.relay(kind);
        for (const patience of [60, 250, 30_000]) {
          const child = await NodeProcess.start({ main: script, args: [at.url, at.namespace, kind] });
          await child.untilSays("begins");
          const code = await Promise.race([child.untilEnds(), sleep(patience)]);
          await child.kill();
          if (code === 0) break;
        }
        await at.over((over) => finishChangeOver(over, kind));
        at.noting = false;
        expect(await at.kept()).to.deep.equal({ kind });
      }
      await writing.stop();
      for (const lane of lanes) await at.followed(lane);
    });

    it("whichever of its statements is the last, the next call goes on from there", async () => {
      await start();
      const [log] = kinds;
      const writing = at.startWriting();
      const sweep = async (work: (over: ChangeOver) => Promise<unknown>): Promise<void> => {
        for (let most = Math.floor(Math.random() * 4); ; most += 4) {
          const ended = await at
            .over((over) => work(endingAfter(over, most)))
            .then(() => true, refuseUnlessEnded);
          if (ended) return;
        }
      };
      for (const kind of [log!, "trigger", "subscriber"] as const) {
        at.relay(kind);
        await sweep((over) => beginChangeOver(over, kind));
        if (kind === "subscriber") at.noting = true;
        await sleep(50);
        await sweep(async (over) => {
          const kept = await over.writer.readCapture(over.run);
          if (kept?.from !== undefined) await finishChangeOver(over, kind);
        });
        at.noting = kind === "subscriber";
        expect(await at.kept()).to.deep.equal({ kind });
      }
      await writing.stop();
      for (const lane of lanes) await at.followed(lane);
    });

    it("a write that comes in the moment of the turn waits for it, and is in the other log", async () => {
      await start();
      const [log] = kinds;
      at.relay(log!);
      let writing: Promise<void> | undefined;
      await at.over((over) => {
        const { handOver } = over.writer;
        const cutLast: typeof handOver.cutLast = async (run) => {
          const last = await handOver.cutLast(run);
          writing = at.write(7);
          // Long enough for a write that nothing holds.
          await Promise.race([writing, sleep(300)]);
          return last;
        };
        return beginChangeOver(
          { ...over, writer: { ...over.writer, handOver: { ...handOver, cutLast } } },
          log!,
        );
      });
      await writing;
      for (const lane of lanes) await at.followed(lane);
    });

    it("waits for targets, and has changed nothing when they don't come; other processes and new targets wait too", async () => {
      await start();
      const [log] = kinds;
      lanes[1]!.pause();
      await at.write(1);
      const refusal = await at
        .over((over) => beginChangeOver(over, log!), 700)
        .then(
          () => undefined,
          (error: unknown) => error,
        );
      expect(refusal).to.include({ code: "CAPTURE_SWITCH_WAITS" });
      expect(String(refusal)).to.contain(lanes[1]!.id);
      expect(await at.kept()).to.deep.equal({ kind: log, from: "subscriber", stage: "beside" });
      await at.write(2);
      await at.over((over) => beginChangeOver(over, "subscriber"));
      expect(await at.kept()).to.deep.equal({ kind: "subscriber" });
      lanes[1]!.resume();
      for (const lane of lanes) await at.followed(lane);

      // Between the two logs.
      const begun = at
        .over((over) => beginChangeOver(withoutSettling(over), log!))
        .catch((error: unknown) => error);
      expect(await begun).to.include({ code: "CAPTURE_SWITCH_WAITS" });
      expect(await at.kept()).to.deep.include({ stage: "turned" });
      const [old, next] = ["subscriber" as const, log!].map((kind) => captureOf(kind, at.source).changeLog());
      const failure = await old!.register(newcomer).catch((error: unknown) => error);
      expect(failure).to.include({ code: "CAPTURE_CHANGED" });
      expect(await next!.lead()).to.equal(undefined);
      at.relay(log!);
      await at.over((over) => beginChangeOver(over, log!));
      await eventually(() =>
        old!.lead().then(
          () => false,
          (error: unknown) => (error as { code?: string }).code === "CAPTURE_CHANGED",
        ),
      );
      const claimed = await runAtSource(at.source, (run) => claimCapture(at.writer, run, "subscriber"));
      expect(claimed).to.equal("left");
      await at.over((over) => finishChangeOver(over, log!));
      const refused = await runAtSource(at.source, (run) => claimCapture(at.writer, run, "subscriber")).catch(
        (error: unknown) => error,
      );
      expect(refused).to.include({ code: "CAPTURE_CHANGED" });
      await Promise.all([old!.close(), next!.close()]);
      await at.write(3);
      for (const lane of lanes) await at.followed(lane);
    });

    it("two commands at once: one goes on behind the other", async () => {
      await start();
      const writing = at.startWriting();
      for (const kind of [kinds[0]!, "trigger"] as const) {
        at.relay(kind);
        const both = await Promise.all(
          [0, 1].map(() => at.over((over) => beginChangeOver(over, kind)).catch(refuseUnlessBusy)),
        );
        expect(both).to.deep.include(await at.kept());
        await at.over((over) => finishChangeOver(over, kind));
        at.noting = false;
      }
      await writing.stop();
      for (const lane of lanes) await at.followed(lane);
    });

    it("a command that comes to the turn behind another one's leaves what was written since then", async () => {
      await start();
      const [log] = kinds;
      for (const kind of [log!, "trigger"] as const) {
        at.relay(kind);
        await at.write(1);
        const late = at.over((over) =>
          beginChangeOver(
            behindAnother(over, async () => {
              await at.over((first) => beginChangeOver(first, kind));
              await at.write(2);
              await at.write(3);
            }),
            kind,
          ),
        );
        expect(await late.catch((error: unknown) => error)).to.include({ code: "CAPTURE_SWITCH_BUSY" });
        await at.write(4);
        for (const lane of lanes) await at.followed(lane);
        await at.over((over) => finishChangeOver(over, kind));
        at.noting = false;
      }
    });

    it("is refused while another command has the source, or a job isn't over; barriers are refused between two logs", async () => {
      await start();
      const [log] = kinds;
      const begin = (): Promise<unknown> =>
        at.over((over) => beginChangeOver(over, log!)).catch((error: unknown) => error);
      await at.over(({ run, writer }) =>
        writer.handOver.alone(run, 0, async () => {
          const other = at.over((over) => over.writer.handOver.alone(over.run, 0, () => Promise.resolve(1)));
          expect(await other).to.equal(undefined);
        }),
      );
      const jobs = jobStore(at);
      const job = await jobs.begin({ kind: "full", options: {}, progress: {} });
      const refusal = await begin();
      expect(refusal).to.include({ code: "CAPTURE_SWITCH_BUSY" });
      expect(String(refusal)).to.contain(`full ${job.id} (running)`);
      await jobs.move(job.id, "paused");
      expect(await begin()).to.include({ code: "CAPTURE_SWITCH_BUSY" });
      expect(await at.kept()).to.equal(undefined);
      await jobs.move(job.id, "cancelled");
      await jobs.close();

      const old = captureOf("subscriber", at.source).changeLog();
      const barrier = (): Promise<unknown> => old.barrier(10_000).catch((error: unknown) => error);
      expect(await barrier()).to.be.a("string");
      at.relay(log!);
      expect(await begin()).to.deep.equal({ kind: log, from: "subscriber" });
      expect(await barrier()).to.include({ code: "CAPTURE_CHANGED" });
      expect(await old.register(newcomer).catch((error: unknown) => error)).to.include({
        code: "CAPTURE_CHANGED",
      });
      await old.close();
    });

    // What MariaDB waits at least would make it three times as long, and the pauses are the same.
    if (engine === "postgres") {
      it("a transaction that stays open lets other writers go on most of the time", async () => {
        await start();
        at.relay("wal");
        const holds: { begun: number; ended: number }[] = [];
        const refusal = await runAtSource(at.source, async (open) => {
          // Not sooner: the slot is made when all that is open then is over.
          const stayOpen = async (): Promise<void> => {
            await open("begin");
            await at.note(open, 30);
          };
          const failure = await at
            .over((over) => beginChangeOver(notingHolds(over, holds, stayOpen), "wal"), 5_000)
            .catch((error: unknown) => error);
          await open("rollback");
          return failure;
        });
        expect(refusal).to.include({ code: "CAPTURE_SWITCH_WAITS" });
        expect(holds.length).to.be.greaterThan(1);
        const [first, second] = holds;
        expect(second!.begun - first!.ended).to.be.greaterThan(4 * (first!.ended - first!.begun));
      });
    }

    it("is refused to a capture of the other engine", async () => {
      const other = engine === "postgres" ? "binlog" : "wal";
      const refusal = await at.over((over) => beginChangeOver(over, other)).catch((error: unknown) => error);
      expect(refusal).to.include({ code: "CONFIG_INVALID" });
      expect(await at.kept()).to.equal(undefined);
    });
  });
}

const ended = new Error("the session ended");

/** A change whose session ends after so many statements. */
function endingAfter(over: ChangeOver, most: number): ChangeOver {
  let count = 0;
  return {
    ...over,
    run: async (sql, parameters) => {
      if (++count > most) throw ended;
      return over.run(sql, parameters);
    },
  };
}

function refuseUnlessBusy(error: unknown): undefined {
  expect(error).to.include({ code: "CAPTURE_SWITCH_BUSY" });
}

/** A change in whose way no lock is, and that holds writers only when `first` is over. */
function behindAnother(over: ChangeOver, first: () => Promise<void>): ChangeOver {
  const { handOver } = over.writer;
  const alone: typeof handOver.alone = async (_run, _waitMs, work) => ({ result: await work() });
  const hold: typeof handOver.hold = async (run, lockTimeoutMs, work) => {
    await first();
    return handOver.hold(run, lockTimeoutMs, work);
  };
  return { ...over, writer: { ...over.writer, handOver: { ...handOver, alone, hold } } };
}

/** A change that says when it held writers up; `before` is run before the first time. */
function notingHolds(
  over: ChangeOver,
  holds: { begun: number; ended: number }[],
  before: () => Promise<void>,
): ChangeOver {
  const { handOver } = over.writer;
  const hold: typeof handOver.hold = async (run, lockTimeoutMs, work) => {
    if (holds.length === 0) await before();
    const begun = performance.now();
    const held = await handOver.hold(run, lockTimeoutMs, work);
    holds.push({ begun, ended: performance.now() });
    return held;
  };
  return { ...over, writer: { ...over.writer, handOver: { ...handOver, hold } } };
}

function jobStore({ source }: SwitchStage): JobStore {
  return source.engine === "postgres"
    ? postgresJobStore({ connection: source.connection, source: "test" })
    : mysqlJobStore({ connection: source.connection });
}

function refuseUnlessEnded(error: unknown): false {
  if (error !== ended) throw error;
  return false;
}

/** A change whose targets, as it is told, never get to the end of the old log, and which isn't patient with them there. */
function withoutSettling(over: ChangeOver): ChangeOver {
  const { handOver } = over.writer;
  let isTurned = false;
  const hold: typeof handOver.hold = async (run, lockTimeoutMs, work) => {
    const held = await handOver.hold(run, lockTimeoutMs, work);
    isTurned = held !== undefined;
    return held;
  };
  const behind: typeof handOver.behind = async (run, position) =>
    isTurned ? ["a target"] : handOver.behind(run, position);
  return {
    ...over,
    get timeoutMs() {
      return isTurned ? 0 : over.timeoutMs;
    },
    writer: { ...over.writer, handOver: { ...handOver, hold, behind } },
  };
}
