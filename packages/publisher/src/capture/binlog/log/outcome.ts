import type { Connections } from "@lockstep/outbox/mysql";
import { eventType, headerOf } from "../event/event-header.js";
import { meaningOf, statementOf } from "../event/query-event.js";
import { openDump } from "../wire/dump.js";
import { FileFollower, isAboutFile } from "./file-follower.js";
import { fileName, placeOf } from "./place.js";

/** How a transaction ends. */
export interface Outcome {
  readonly isCommitted: boolean;
  /** It ends with XA PREPARE: how is written elsewhere. */
  readonly isPrepared: boolean;
  /** Places between which savepoints were rolled back, as offsets in the file. */
  readonly dropped: readonly { readonly from: number; readonly to: number }[];
}

/** Reads ahead to the end of the transaction that begins at `tick`, keeping nothing of it, on a connection of its own. */
export async function outcomeOf(connections: Connections, base: string, tick: bigint): Promise<Outcome> {
  const { file, offset } = placeOf(tick);
  const name = fileName(base, file);
  const dump = await openDump(connections, { file: name, offset });
  const follower = new FileFollower(name);
  const savepoints: { readonly name: string; readonly at: number }[] = [];
  const dropped: { readonly from: number; readonly to: number }[] = [];
  const ends = (isCommitted: boolean, isPrepared = false): Outcome => ({ isCommitted, isPrepared, dropped });
  let isInside = false;
  try {
    for (;;) {
      for (const event of await dump.take()) {
        const header = headerOf(event);
        follower.advance(header);
        if (header.type === eventType.rotate) follower.rotate(event, header.isArtificial);
        if (header.type === eventType.formatDescription) follower.describe(event, header);
        const isStart =
          header.type === eventType.gtid ||
          header.type === eventType.anonymousGtid ||
          header.type === eventType.taggedGtid ||
          header.type === eventType.mariadbGtid;
        if (isInside && (isStart || (isAboutFile(header.type) && !header.isArtificial))) return ends(false);
        isInside ||= isStart;
        const at = placeOf(follower.boundary).offset;
        if (header.type === eventType.xid) return ends(true);
        if (header.type === eventType.xaPrepare) {
          const isOnePhase = follower.bodyOf(event)[0] === 1;
          return ends(isOnePhase, !isOnePhase);
        }
        if (header.type !== eventType.query) continue;
        const meaning = meaningOf(statementOf(follower.bodyOf(event)));
        if (meaning.is === "commit" || meaning.is === "rollback") return ends(meaning.is === "commit");
        if (meaning.is === "savepoint") savepoints.push({ name: meaning.name, at });
        if (meaning.is === "rollback-to") {
          const index = savepoints.findLastIndex(({ name }) => name === meaning.name);
          if (index < 0) continue;
          dropped.push({ from: savepoints[index]!.at, to: at });
          savepoints.length = index + 1;
        }
      }
    }
  } finally {
    dump.close();
  }
}
