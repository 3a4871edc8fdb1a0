import { LockstepError, type LaneSession } from "@lockstep/core";
import { classify } from "../classify.js";
import type { Session } from "../session/session.js";
import type { Announcing } from "../guarded/announce.js";
import { pruneVersions } from "../guarded/versions.js";
import { dropBasesOf } from "../guarded/drop-bases.js";
import { pruneConflicts } from "../guarded/prune-conflicts.js";
import { letterCounts } from "../letters/letter-counts.js";
import { overdueLetters, pruneLetters } from "../letters/lane-letters.js";
import { lockName } from "../lock-name.js";
import { LaneTables, type TableOptions } from "../tables/lane-tables.js";
import { insertCheckpoint, readCheckpoint, takeEpoch, type LaneId } from "./checkpoint-row.js";
import { runStep } from "./step.js";

/** How the server notices that a lane's host is gone. */
interface LanePulse {
  /** How often the lane says that it is there, whatever it waits for, ms. */
  readonly everyMs: number;
  /** The server ends a session that was silent for so long, whole seconds: the lane is free then. */
  readonly silentSeconds: number;
}

const defaultPulse: LanePulse = { everyMs: 3_000, silentSeconds: 20 };

/** What opening a lane needs. */
export interface LanePlace {
  readonly lane: LaneId;
  readonly tables: TableOptions & Announcing;
  /** Default: every 3 s, 20 s. */
  readonly pulse?: LanePulse;
  connect(): Promise<Session>;
}

/** Opens a lane on a connection of its own; `undefined` while another session holds its lock. */
export async function openLane(place: LanePlace): Promise<LaneSession | undefined> {
  const session = await place.connect();
  const { everyMs, silentSeconds } = place.pulse ?? defaultPulse;
  try {
    if (!(await lockLane(session, place))) {
      await session.close();
      return undefined;
    }
    // A host that is gone says nothing, and TCP would notice it after hours: until then nobody could take the lane over.
    await session.write(`SET SESSION wait_timeout = ${silentSeconds}`);
    await takeEpoch(session, place.lane);
  } catch (error) {
    await session.close();
    throw error;
  }
  beat(session, everyMs);
  return laneSession(session, place);
}

function beat(session: Session, everyMs: number): void {
  const timer = setInterval(() => {
    if (session.alive) void session.rows("SELECT 1").catch(() => undefined);
    else clearInterval(timer);
  }, everyMs).unref();
}

// The lock lives and dies with the connection the lane applies on (PROTOCOL.md 28): SIGKILL frees it at once.
async function lockLane(session: Session, { lane, tables }: LanePlace): Promise<boolean> {
  const name = lockName("lane", tables.namespace, lane.source, String(lane.partition));
  const [row] = await session.rows("SELECT GET_LOCK(?, 0) AS got", [name]);
  return row?.["got"] === "1";
}

// The server ends a session a moment after its client has gone; whoever waits for the lane gets it now.
async function leave(session: Session): Promise<void> {
  if (session.alive) await session.rows("SELECT RELEASE_ALL_LOCKS()").catch(() => undefined);
  await session.close();
}

function laneSession(session: Session, { lane, tables: options, connect }: LanePlace): LaneSession {
  const tables = new LaneTables(options);
  return {
    lost: session.lost,
    checkpoint: async () => (await readCheckpoint(session, lane))?.checkpoint,
    register: async (start) => {
      await insertCheckpoint(session, lane, start).catch((error: unknown) => {
        if (classify(error).code !== "TARGET_UNIQUE") throw error;
        throw new LockstepError("TARGET_FENCED", "the lane is registered already", { cause: error });
      });
      return (await readCheckpoint(session, lane))!.checkpoint;
    },
    tables: (schemas) => tables.open(session, schemas),
    step: (move, work) => runStep({ session, lane, tables, connect, hub: options }, move, work),
    dropBases: (guardless) =>
      dropBasesOf(
        session,
        guardless.map((table) => tables.planOf(table)),
      ),
    pruneVersions: (keepMs, limit) => pruneVersions(session, keepMs, limit),
    pruneConflicts: (kept) => pruneConflicts(session, lane, kept),
    letterCounts: () => letterCounts(session, lane),
    overdueLetters: (before, limit) => overdueLetters(session, lane, before, limit),
    pruneLetters: (before, limit) => pruneLetters(session, lane, before, limit),
    [Symbol.asyncDispose]: () => leave(session),
  };
}
