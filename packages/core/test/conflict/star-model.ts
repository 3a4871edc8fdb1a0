import {
  answerAtHub,
  answerAtLeaf,
  firstVersion,
  type HeldVersion,
  hubKeepsTimes,
  tombstoneMs,
  type TwoWayAnswer,
} from "../../src/conflict/two-way.js";
import { laterVersion, type RowVersion } from "../../src/conflict/row-version.js";

/** A row's content; null: it isn't there. */
export type Content = string | null;

/** What a policy makes of a conflict. */
export type Policy = (
  source: { readonly row: Content; readonly version: RowVersion },
  target: { readonly row: Content; readonly version: RowVersion },
) => Content;

interface Event {
  readonly key: string;
  readonly row: Content;
  readonly version?: RowVersion;
  readonly snapshot: boolean;
  readonly at: number;
}

interface Held {
  row: Content;
  version?: RowVersion;
  deletedAt?: number;
}

/** A database with its clock, its rows and the log of what was captured in it. */
class Node {
  readonly rows = new Map<string, Held>();
  readonly log: Event[] = [];
  /** How far its clock is off. */
  skew = 0;

  constructor(
    readonly name: string,
    /** False: what a lane writes here is not captured. */
    readonly capturesLanes: boolean,
  ) {}

  held(key: string): Held {
    let held = this.rows.get(key);
    if (held === undefined) this.rows.set(key, (held = { row: null }));
    return held;
  }

  /** What the application and the triggers do. */
  write(key: string, row: Content, now: number): void {
    const held = this.held(key);
    if (row === null && held.row === null) return;
    const stamp = Math.max(now + this.skew, (held.version?.stamp ?? 0) + 1);
    const version = { stamp, node: this.name, seen: { ...held.version?.seen, [this.name]: stamp } };
    this.put(key, row, version, now);
    this.log.push({ key, row, version, snapshot: false, at: now });
  }

  put(key: string, row: Content, version: RowVersion | undefined, now: number): void {
    const held = this.held(key);
    held.row = row;
    if (version !== undefined) held.version = version;
    delete held.deletedAt;
    if (row === null) held.deletedAt = now;
  }

  snapshot(key: string, at: number): void {
    const { row, version } = this.held(key);
    this.log.push({ key, row, ...(version === undefined ? {} : { version }), snapshot: true, at });
  }

  prune(now: number, keepMs: number): void {
    for (const [key, { deletedAt }] of this.rows)
      if (deletedAt !== undefined && now - deletedAt > keepMs) this.rows.delete(key);
  }
}

/** A hub, its leaves, and a lane each way. */
export class Star {
  readonly hub: Node;
  readonly leaves: readonly Node[];
  /** Decisions of the hub. */
  conflicts = 0;
  now = 1_000_000;
  readonly #read = new Map<string, number>();

  constructor(
    leaves: readonly string[],
    private readonly policy: Policy,
    captures: { readonly hub: boolean; readonly leaf: boolean },
  ) {
    this.hub = new Node("hub", captures.hub);
    this.leaves = leaves.map((name) => new Node(name, captures.leaf));
  }

  get nodes(): readonly Node[] {
    return [this.hub, ...this.leaves];
  }

  waiting(from: Node, to: Node): number {
    return from.log.length - (this.#read.get(`${from.name} ${to.name}`) ?? 0);
  }

  /** A lane applies the next events as one batch: of each row only its newest. */
  deliver(from: Node, to: Node, count: number): void {
    const lane = `${from.name} ${to.name}`;
    const begin = this.#read.get(lane) ?? 0;
    const batch = from.log.slice(begin, begin + count);
    this.#read.set(lane, begin + batch.length);
    const collapsed = new Map(batch.filter((event) => !isEcho(event, to)).map((event) => [event.key, event]));
    for (const event of collapsed.values()) this.apply(from, to, event);
  }

  /** Applies an event that was applied before, unless its tombstone may be gone by now. */
  repeat(from: Node, to: Node, index: number): void {
    const read = this.#read.get(`${from.name} ${to.name}`) ?? 0;
    const event = from.log[index % Math.max(1, read)];
    if (event !== undefined && read > 0 && this.now - event.at < tombstoneMs / 2) this.apply(from, to, event);
  }

  apply(from: Node, to: Node, { key, row, snapshot, version = firstVersion }: Event): void {
    const held = this.#heldAt(to, key);
    const here = to.held(key).row;
    const answer =
      to === this.hub
        ? answerAtHub({ version }, held, { source: from.name, target: to.name, isThere: here !== null })
        : answerAtLeaf({ version, snapshot }, held, { source: from.name, target: to.name });
    if (answer.kind === "drop") return;
    this.#write(
      to,
      key,
      answer.kind === "take" ? row : this.#decide({ row, version }, here, held?.version ?? firstVersion),
      here,
      answer,
    );
  }

  #heldAt(node: Node, key: string): HeldVersion | undefined {
    const { version, deletedAt } = node.held(key);
    if (version === undefined) return undefined;
    return deletedAt === undefined ? { version } : { version, deletedMsAgo: this.now - deletedAt };
  }

  #decide(source: { row: Content; version: RowVersion }, here: Content, version: RowVersion): Content {
    if (source.row === here) return here;
    this.conflicts++;
    return this.policy(source, { row: here, version });
  }

  #write(
    to: Node,
    key: string,
    row: Content,
    here: Content,
    { version }: Exclude<TwoWayAnswer, { kind: "drop" }>,
  ) {
    to.put(key, row, version, this.now);
    const event = { key, row, version, snapshot: false, at: this.now };
    // A row that stays as it is: no capture need see it, yet its version is news.
    const unseen = row === here || version.from === undefined;
    if (to.capturesLanes && row !== here) to.log.push(event);
    if (to === this.hub && unseen) to.log.push(event);
  }

  /** Until nothing is under way; fails when that takes for ever. */
  settle(): void {
    for (let round = 0; round < 20; round++) {
      const lanes = this.leaves.flatMap((leaf) => [[this.hub, leaf] as const, [leaf, this.hub] as const]);
      const open = lanes.filter(([from, to]) => this.waiting(from, to) > 0);
      if (open.length === 0) return;
      for (const [from, to] of open) this.deliver(from, to, Infinity);
    }
    throw new Error("events go round and round");
  }

  /** So long after everything has settled that tombstones may go, here and there. */
  age(pruned: readonly boolean[], times: number): void {
    this.settle();
    this.now += tombstoneMs * times + 1;
    for (const [i, node] of this.nodes.entries())
      if (pruned[i]) node.prune(this.now, tombstoneMs * (node === this.hub ? hubKeepsTimes : 1));
  }

  contents(node: Node): Record<string, string> {
    const rows = [...node.rows].filter(([, { row }]) => row !== null);
    return Object.fromEntries(rows.map(([key, { row }]) => [key, row!] as const).toSorted());
  }
}

/** What the intake passes over. */
function isEcho({ version, snapshot }: Event, to: Node): boolean {
  return version?.from === to.name && !snapshot;
}

export const lastWriteWins: Policy = (source, target) =>
  laterVersion(source.version, target.version) === source.version ? source.row : target.row;
