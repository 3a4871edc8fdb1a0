import { hostname } from "node:os";
import { LockstepError } from "@lockstep/core";
import { readsReports } from "@lockstep/stream";
import type { DataSource } from "typeorm";
import { watchTransactions } from "@lockstep/reads";
import { appliedIn } from "./applied/when-applied.js";
import { claimCapture } from "./capture/claim-capture.js";
import { captureOf } from "./capture/capture-of.js";
import { removeAtSource } from "./capture/install-at-source.js";
import { watchEntities } from "./capture/watched-entities.js";
import {
  type CaptureSettings,
  type InstalledCapture,
  withRunner,
} from "./capture/subscriber/install-capture.js";
import { followInitialize } from "./follow-initialize.js";
import { type PublishOptions, publishDefaults } from "./options.js";
import { engineOf, outboxWriterFor } from "./outbox-writer-for.js";
import { disabledPublisher, type Publisher } from "./publisher.js";
import { captureSource, sourceName } from "./source-connection.js";
import { warnAtStart } from "./examine/warn-at-start.js";
import { relayChoice, startInProcess } from "./start-in-process.js";
import { stderrLogger } from "./stderr-logger.js";
import { isSwitchedOff } from "./switches.js";

const open = new WeakSet<DataSource>();

/**
 * Captures every committed change that this DataSource makes, and publishes it to Redis. Call it before or after `initialize()`,
 * once per DataSource. Succeeds while Redis is away: changes wait in the outbox (PROTOCOL.md 35).
 *
 * `LOCKSTEP_DISABLED=1` in the environment ends what it does to the application's writes. Where the database itself captures (`trigger`, `wal`,
 * `binlog`) it goes on capturing, so the relay goes on as well: else the outbox, or the log that a slot holds, would fill the source's disk.
 * `LOCKSTEP_RELAY_DISABLED=1` ends the relay of this process.
 * @throws LockstepError CONFIG_INVALID, DRIVER_UNSUPPORTED, ENTITY_UNKNOWN, TABLE_WITHOUT_PRIMARY_KEY, OUTBOX_MISSING, CAPTURE_INSTALL_WAITS.
 */
export async function publishChanges(dataSource: DataSource, options: PublishOptions): Promise<Publisher> {
  checkOptions(dataSource, options);
  const source = options.source ?? sourceName(dataSource);
  sayWhatIsOff(source, options);
  if (isOffAltogether(options)) return disabledPublisher(source, namesOf(options));
  if (open.has(dataSource)) {
    throw new LockstepError(
      "CONFIG_INVALID",
      "this DataSource is published already: close that publisher first",
    );
  }
  const publisher = startPublisher(dataSource, source, options);
  open.add(dataSource);
  if (!dataSource.isInitialized) return publisher;
  try {
    await publisher.install();
    return publisher;
  } catch (error) {
    await publisher.uninstall();
    throw error;
  }
}

/** @throws LockstepError DRIVER_UNSUPPORTED, CONFIG_INVALID naming everything that is wrong. */
function checkOptions(
  dataSource: DataSource,
  {
    partitions = 1,
    source,
    relay,
    queues,
    capture = publishDefaults.capture,
    captureTables = [],
  }: PublishOptions,
): void {
  engineOf(dataSource);
  const wrong: string[] = [];
  if (!Number.isInteger(partitions) || partitions < 1)
    wrong.push("partitions must be a whole number from 1 on");
  if (source === "") wrong.push("source must not be empty");
  if (capture === "subscriber" && captureTables.length > 0) {
    wrong.push('captureTables: capture "subscriber" knows entities only; use "trigger"');
  }
  if (relay === false && Object.keys(queues ?? {}).length > 0) {
    wrong.push("queues are fed by the relay: name them where it runs");
  }
  if (Object.values(queues ?? {}).some((queue) => queue === "" || queue.includes(":")))
    wrong.push("queues: BullMQ takes no queue whose name is empty or holds a colon");
  if (wrong.length > 0) throw new LockstepError("CONFIG_INVALID", wrong.join("; "));
}

/** Subscriber capture is in this process alone: without it there is nothing new to publish. */
function isOffAltogether({ capture = publishDefaults.capture }: PublishOptions): boolean {
  return capture === "subscriber" && isSwitchedOff("LOCKSTEP_DISABLED");
}

function sayWhatIsOff(source: string, options: PublishOptions): void {
  const { logger = stderrLogger, capture = publishDefaults.capture, relay = publishDefaults.relay } = options;
  if (isOffAltogether(options)) return logger.warn({ source }, "lockstep is disabled: nothing is captured");
  if (isSwitchedOff("LOCKSTEP_DISABLED"))
    logger.warn(
      { source, capture, remove: "lockstep capture remove" },
      "lockstep is disabled in this process, but the database goes on capturing, and the relay publishing: capture ends when it is removed",
    );
  if (relay !== false && isSwitchedOff("LOCKSTEP_RELAY_DISABLED"))
    logger.warn(
      { source, capture },
      "the relay of this process is disabled: what is captured waits in the source, and fills its disk, until another relay publishes it",
    );
}

type Phase =
  | { readonly state: "waiting" }
  | { readonly state: "capturing"; readonly capture: InstalledCapture }
  | { readonly state: "uninstalled" };

function startPublisher(
  dataSource: DataSource,
  source: string,
  options: PublishOptions,
): Publisher & { install(): Promise<void> } {
  const logger = options.logger ?? stderrLogger;
  const engine = engineOf(dataSource);
  const writer = outboxWriterFor(dataSource, options);
  const whereabouts = captureSource(dataSource, {
    name: source,
    outbox: options.outbox ?? {},
    logger,
    foreignKeyActions: options.foreignKeyActions,
    ...(options.wal !== undefined && { wal: options.wal }),
    url: relayChoice(options)?.url,
  });
  const method = captureOf(options.capture ?? publishDefaults.capture, whereabouts);
  const tables = options.tables ?? publishDefaults.tables;
  const { captureTables = [] } = options;
  const isDisabled = isSwitchedOff("LOCKSTEP_DISABLED");
  const watch = (settings: CaptureSettings, isLeft: boolean): Promise<InstalledCapture> =>
    watchEntities(dataSource, {
      ...settings,
      capture: method,
      captureTables,
      tables: isDisabled ? "as-is" : isLeft ? "left" : tables,
    });
  const relay = startInProcess(method, source, options, logger);
  let phase: Phase = { state: "waiting" };
  const ready = settleable();
  const inside = watchTransactions(dataSource);
  // Who names targets waits for them; for a barrier alone it begins when the first one is asked for.
  if (options.targets?.length) inside.begin();
  const log = lazily(() => method.changeLog());
  let partitions = options.partitions ?? publishDefaults.partitions;
  const barrier: Publisher["barrier"] = async ({ timeoutMs = barrierTimeoutMs } = {}) => {
    const position = await log.get().barrier(timeoutMs);
    // As the relay keeps it, which may run elsewhere: with fewer, lanes that are behind would not be looked at.
    partitions = (await log.get().partitions()) ?? partitions;
    return { position, incarnation: await log.get().incarnation() };
  };
  const lanes = {
    source,
    get partitions() {
      return partitions;
    },
    barrier,
  };
  const applied = appliedIn(lanes, options.targets ?? []);
  const reports = lazily(() => readsReports({ redis: options.redis, source, logger }));

  // What isn't committed yet lies nowhere: a place from here would be taken for one behind it.
  function refuseInside(isInside: boolean): void {
    if (isInside)
      throw new LockstepError("BARRIER_IN_TRANSACTION", "waited for a target inside a transaction");
  }

  async function claim(): Promise<boolean> {
    // Switched off, it must not keep the application from starting, whatever is wrong at the source: the relay says that.
    if (isDisabled) return false;
    return withRunner(dataSource, async (run) => {
      await (tables === "ensure" ? writer.ensure(run) : writer.check(run));
      return (await claimCapture(writer, run, method.kind)) === "left";
    });
  }

  async function install(): Promise<void> {
    try {
      const isLeft = await claim();
      if (isLeft)
        logger.warn({ source, capture: method.kind }, "the capture of this source is being changed");
      const settings = {
        ...options,
        engine,
        writer,
        bulkWrites: options.bulkWrites ?? publishDefaults.bulkWrites,
        onBlindWrite: options.onBlindWrite ?? publishDefaults.onBlindWrite,
        logger,
        committed: () => relay.nudge(),
      };
      const capture = await (method.attach?.(dataSource, settings) ?? watch(settings, isLeft));
      phase = { state: "capturing", capture };
      relay.start((entity) => capture.tablesOf(entity));
      // Not waited for: what it finds is said, and holds nothing up.
      if (relayChoice(options))
        void warnAtStart(
          { source: whereabouts, capture: method.kind, redis: options.redis, isInstalledHere: true },
          logger,
        );
      ready.resolve();
    } catch (error) {
      ready.reject(error);
      throw error;
    }
  }

  followInitialize(dataSource, install);

  async function close(): Promise<void> {
    open.delete(dataSource);
    inside.stop();
    await relay[Symbol.asyncDispose]();
    await Promise.allSettled([applied.close(), log.made()?.close()]);
    reports.made()?.close();
  }

  async function uninstall(what: { readonly tables?: boolean } = {}): Promise<void> {
    followInitialize(dataSource, undefined);
    if (phase.state === "capturing") phase.capture.uninstall();
    phase = { state: "uninstalled" };
    await close();
    if (what.tables !== true) return;
    await withRunner(dataSource, async (run) => {
      // First: without the outbox every write that fires a trigger would fail; a slot that nobody reads would hold the whole server's log.
      await removeAtSource(method, run, []);
      await writer.remove(run);
    });
  }

  return {
    source,
    targets: namesOf(options),
    get partitions() {
      return partitions;
    },
    async barrier({ timeoutMs = barrierTimeoutMs } = {}) {
      const deadline = performance.now() + timeoutMs;
      refuseInside(await inside.maybeInside(deadline));
      return barrier({ timeoutMs: Math.max(0, Math.ceil(deadline - performance.now())) });
    },
    async whenApplied(target, given) {
      refuseInside(inside.isInside());
      return applied.whenApplied(target, given);
    },
    reportReads: (reads) => reports.get().put({ process: `${hostname()}/${process.pid}`, ...reads }),
    ready: ready.promise,
    done: relay.done,
    install,
    status: () => ({
      state: isDisabled && phase.state === "capturing" ? "disabled" : phase.state,
      blindWrites: phase.state === "capturing" ? phase.capture.blindWrites : 0,
      ...relay.status(),
    }),
    nudge: () => relay.nudge(),
    removeTarget: (idOrName) => relay.removeTarget(idOrName),
    uninstall,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function namesOf({ targets = [] }: PublishOptions): readonly string[] {
  return targets.map(({ name }) => name);
}

/** How long a barrier waits for a relay when nothing else is said. */
const barrierTimeoutMs = 5_000;

/** Made when it is first asked for. */
function lazily<T>(make: () => T): { get(): T; made(): T | undefined } {
  let made: T | undefined;
  return { get: () => (made ??= make()), made: () => made };
}

interface Settleable {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(error: unknown): void;
}

function settleable(): Settleable {
  let settle: Omit<Settleable, "promise"> | undefined;
  const promise = new Promise<void>((resolve, reject) => (settle = { resolve, reject }));
  // Whoever doesn't wait for it learns the error from initialize().
  promise.catch(() => undefined);
  return { promise, resolve: () => settle?.resolve(), reject: (error) => settle?.reject(error) };
}
