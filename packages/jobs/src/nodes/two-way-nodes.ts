import type { LockstepConfig } from "@lockstep/config";
import {
  type CaptureFinding,
  type CapturePlan,
  type CaptureRemoval,
  type Engine,
  isLockstepError,
  LockstepError,
  type RowNote,
  type RunStatement,
  type VersionTriggers,
} from "@lockstep/core";
import { mysqlVersionTriggers, postgresVersionTriggers } from "@lockstep/outbox";
import { openTransactionsOfOthers } from "@lockstep/outbox/mysql";
import { transactionsInTheWay } from "@lockstep/outbox/postgres";
import {
  type CaptureSource,
  installAlone,
  installAtSource,
  outboxWriterOf,
  refuseFindings,
  removeAtSource,
  runAtSource,
} from "@lockstep/publisher/capture";
import { makeOwnTables, nodeNamespace } from "@lockstep/runtime";
import { chooseSources } from "../source/choose-sources.js";

/** A database of two-way sync, as what keeps its versions sees it. */
export interface TwoWayNode {
  readonly name: string;
  readonly role: "hub" | "leaf";
  readonly engine: Engine;
  /** Compares its triggers with what its tables need; changes nothing. */
  plan(): Promise<CapturePlan>;
  /**
   * Makes what is missing or has drifted: Lockstep's tables as a target, too. Gives what is still not as it should be, and refuses nothing.
   * @throws LockstepError OUTBOX_MISSING, CAPTURE_NOT_INSTALLED, CAPTURE_INSTALL_WAITS, TWO_WAY_HUB_CAPTURE, SOURCE_UNAVAILABLE.
   */
  install(): Promise<readonly CaptureFinding[]>;
  /** Statements that take its triggers away. */
  removal(): Promise<CaptureRemoval>;
  /** Takes its triggers away. @throws LockstepError CAPTURE_INSTALL_WAITS, SOURCE_UNAVAILABLE. */
  remove(): Promise<void>;
}

type Topology = LockstepConfig["twoWay"][string];

/** The nodes of a configuration, or the one named. @throws LockstepError CONFIG_INVALID when there is none such. */
export function twoWayNodes(config: LockstepConfig, named?: string): readonly TwoWayNode[] {
  const nodes = Object.values(config.twoWay).flatMap((topology) =>
    [topology.hub, ...topology.leaves].map((name) => ({ name, topology })),
  );
  const wanted = nodes.filter(({ name }) => named === undefined || name === named);
  if (wanted.length > 0) return wanted.map(({ name, topology }) => nodeOf(config, topology, name));
  const known = nodes.map(({ name }) => name).join(", ");
  const problem =
    named === undefined ? "twoWay: names no nodes" : `there is no node "${named}"; known: ${known}`;
  throw new LockstepError("CONFIG_INVALID", problem);
}

function nodeOf(config: LockstepConfig, topology: Topology, name: string): TwoWayNode {
  const [{ rows: source }] = chooseSources(config, name) as [ReturnType<typeof chooseSources>[number]];
  const triggers = triggersOf(source);
  const tables = tablesOf(config, topology, name);
  const role = name === topology.hub ? "hub" : "leaf";
  const plan = (run: RunStatement) => triggers.plan(run, name, tables);
  const inTheWay = (run: RunStatement) =>
    source.engine === "postgres" ? transactionsInTheWay(run, tables) : openTransactionsOfOthers(run);
  const alone = source.engine === "mysql" ? { alone: installAlone } : {};
  const atNode = <T>(work: (run: RunStatement) => Promise<T>): Promise<T> => reached(source, work);
  return {
    name,
    role,
    engine: source.engine,
    plan: () => atNode(plan),
    async install() {
      await makeOwnTables(config, name);
      return atNode(async (run) => {
        await outboxWriterOf(source).check(run);
        if (role === "hub" && topology.leaves.length > 1) await refuseDeafHub(source, run);
        const left = await installAtSource({ plan, inTheWay, ...alone }, run, tables);
        refuseFindings(left);
        return left;
      });
    },
    removal: () => atNode((run) => triggers.removal(run)),
    remove: () => atNode((run) => removeAtSource({ ...triggers, inTheWay }, run, tables)),
  };
}

function triggersOf({ engine, outbox }: CaptureSource): VersionTriggers {
  return engine === "postgres" ? postgresVersionTriggers(outbox) : mysqlVersionTriggers(outbox);
}

function tablesOf(config: LockstepConfig, { tables }: Topology, name: string): readonly RowNote["table"][] {
  const namespace = nodeNamespace(config, name);
  return Object.keys(tables).map((table) => ({ namespace, name: table }));
}

// The configuration says how it is captured; the publisher, which knows it, may say something else.
async function refuseDeafHub(source: CaptureSource, run: RunStatement): Promise<void> {
  const kept = await outboxWriterOf(source).readCapture(run);
  if (kept === undefined || kept.kind !== "subscriber") return;
  throw new LockstepError(
    "TWO_WAY_HUB_CAPTURE",
    `${source.name} is the hub of several leaves, and captured by subscriber: it would not send on what lanes write into it`,
  );
}

async function reached<T>(source: CaptureSource, work: (run: RunStatement) => Promise<T>): Promise<T> {
  let open = false;
  try {
    return await runAtSource(source, (run) => {
      open = true;
      return work(run);
    });
  } catch (cause) {
    if (open || isLockstepError(cause)) throw cause;
    throw new LockstepError("SOURCE_UNAVAILABLE", `the node ${source.name} can't be reached`, { cause });
  }
}
