import type { LoggedChanges, Position } from "@lockstep/core";
import type pg from "pg";
import { Decoder } from "../pgoutput/decoder.js";
import { Sequencer } from "../pgoutput/sequencer.js";
import type { Relations } from "../relation/relation.js";
import { FrameReader } from "../wire/frame-reader.js";
import { lsnText } from "../wire/lsn.js";
import { epochMs, replicate, type Replication } from "../wire/replication.js";
import { endOfLog, ServerError } from "../wire/server-error.js";

/** Settings of {@link openLogStream}. */
export interface LogStreamSettings {
  /** A connection that speaks the replication protocol; it is closed with the stream. */
  readonly client: pg.Client;
  readonly slot: string;
  readonly publications: readonly string[];
  /** Transactions whose commit record lies before this are not sent. */
  readonly from: bigint;
  /** The server may forget everything before this; `undefined`: nothing. Not `from`: somebody slower may need what lies between. */
  readonly confirmed?: bigint;
  /** Events of the source before `from`. */
  readonly total: number;
  readonly relations: Relations;
  /** The first event of a transaction was met. */
  readonly began?: (tick: bigint, total: number, at: number) => void;
  /** Takes events, and how many bytes of the log they were; says whether more may come at once. */
  deliver(events: readonly LoggedChanges[], bytes: number): boolean;
  /** The server said how far it is. */
  advanced(): void;
  failed(error: unknown): void;
}

/** The log as it comes in. */
export interface LogStream {
  /** True when everything up to the end of this tick was delivered. */
  isComplete(tick: bigint): boolean;
  /** Tick of the newest transaction of which an event came in; 0 for none. */
  newest(): bigint;
  /** Some events of a transaction came in and more will follow. */
  isWithin(): boolean;
  /** Everything whose commit record begins before this was delivered, or is not of interest. */
  passed(): bigint;
  /** Events of the source up to the last one that came in. */
  total(): number;
  /** Where the log ends for its readers, once its mark has come in. */
  end(): Position | undefined;
  /** The source's clock, ms since 1970. */
  clock(): number;
  /** Lets the server forget everything before `lsn`. */
  confirm(lsn: bigint): void;
  /** Goes on after `deliver` said no; false when it had not. */
  goOn(): boolean;
  close(): void;
}

/** How often the server hears that we live; its own patience is a minute. */
const statusMs = 5_000;

/** What the text of a value could depend on (as the outbox pins it), how long the server waits for a sign of life, and that it says what it passes over. */
const sessionSettings = `set DateStyle = 'ISO, MDY'; set TimeZone = 'UTC'; set IntervalStyle = 'postgres'; set extra_float_digits = 1;
set bytea_output = 'hex'; set lc_monetary = 'C'; set quote_all_identifiers = off; set search_path = pg_catalog, pg_temp;
set client_encoding = 'UTF8'; set wal_sender_timeout = '60s'; set client_min_messages = 'warning'`;

const message = { copyBoth: 0x57, copyData: 0x64, error: 0x45, notice: 0x4e, copyDone: 0x63 } as const;
const copyKind = { data: 0x77, keepalive: 0x6b } as const;
const dataHead = 25;

/** Begins to receive. Resolves when the server sends; rejects with what it refuses. */
export async function openLogStream(settings: LogStreamSettings): Promise<LogStream> {
  const { client, relations } = settings;
  await client.query(sessionSettings);
  const frames = new FrameReader();
  let events: LoggedChanges[] = [];
  let bytes = 0;
  let isHeld = false;
  let isWaiting = false;
  let confirmed = settings.confirmed ?? 0n;
  let clockAhead = 0;
  let timer: NodeJS.Timeout | undefined;
  const sequencer = new Sequencer(
    { changes: (changes) => void events.push(changes), began: settings.began ?? (() => undefined) },
    settings.total,
  );
  const decoder = new Decoder(relations, sequencer);
  decoder.passed = settings.from;

  let started: (error?: unknown) => void = () => undefined;
  const starting = new Promise<void>((resolve, reject) => {
    started = (error) => (error === undefined ? resolve() : reject(error));
  });

  const fail = (error: unknown): void => {
    clearInterval(timer);
    connection.close();
    started(error);
    settings.failed(error);
  };

  function received(data: Buffer, at: number, end: number): Promise<void> | undefined {
    if (data[at] === copyKind.data) {
      bytes += end - at;
      return decoder.message(data, at + dataHead);
    }
    if (data[at] !== copyKind.keepalive) return undefined;
    const walEnd = data.readBigUInt64BE(at + 1);
    clockAhead = Number(data.readBigInt64BE(at + 9) / 1000n) + epochMs - Date.now();
    // Between transactions: whatever was committed before this place has been sent.
    if (!sequencer.isInTransaction && sequencer.end === undefined && walEnd > decoder.passed)
      decoder.passed = walEnd;
    if (data[at + 17] === 1) sayStatus();
    settings.advanced();
    return undefined;
  }

  function take(type: number, data: Buffer, at: number, end: number): boolean {
    switch (type) {
      case message.copyData: {
        const wait = received(data, at, end);
        if (wait === undefined) return true;
        isWaiting = true;
        wait.then(() => {
          isWaiting = false;
          work();
        }, fail);
        return false;
      }
      case message.copyBoth:
        started();
        return true;
      case message.error:
      case message.notice: {
        const failure = endOfLog(new ServerError(data, at, end));
        if (failure !== undefined) fail(failure);
        return failure === undefined;
      }
      case message.copyDone:
        fail(new Error("the server ended the connection"));
        return false;
      default:
        return true;
    }
  }

  /** Decodes what came in, hands it over, and stops the socket when somebody must be waited for. */
  function work(): void {
    try {
      frames.drain(take);
    } catch (error) {
      return fail(error);
    }
    if (events.length > 0) {
      const delivered = events;
      const size = bytes;
      events = [];
      bytes = 0;
      isHeld = !settings.deliver(delivered, size);
    }
    if (isHeld || isWaiting) connection.pause();
    else connection.resume();
  }

  const sayStatus = (): void => connection.status(max(decoder.passed, confirmed), confirmed);
  const command = `START_REPLICATION SLOT "${settings.slot}" LOGICAL ${lsnText(settings.from)} (proto_version '1', publication_names '${settings.publications.map((name) => `"${name}"`).join(",")}', messages 'true')`;
  const connection: Replication = replicate(client, command, {
    data(data) {
      frames.push(data);
      if (!isWaiting) work();
    },
    ended: (error) => fail(error ?? new Error("Connection terminated")),
  });
  await starting;
  timer = setInterval(sayStatus, statusMs);
  timer.unref();

  return {
    isComplete: (tick) =>
      sequencer.openTick !== tick &&
      (sequencer.newest >= tick ||
        decoder.passed > tick ||
        (sequencer.end !== undefined && !sequencer.isInTransaction)),
    newest: () => sequencer.newest,
    isWithin: () => sequencer.openTick !== undefined,
    passed: () => decoder.passed,
    total: () => sequencer.total,
    end: () => sequencer.end,
    clock: () => Date.now() + clockAhead,
    confirm(lsn) {
      confirmed = max(confirmed, lsn);
      sayStatus();
    },
    goOn() {
      if (!isHeld) return false;
      isHeld = false;
      if (!isWaiting) work();
      return true;
    },
    close() {
      clearInterval(timer);
      connection.close();
    },
  };
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
