import type { CaptureKind } from "@lockstep/core";

/** Databases that hold the same tables, all of which are written: a hub, and leaves around it. */
export interface Topology {
  readonly hub: string;
  readonly leaves: readonly string[];
  readonly tables: Readonly<Record<string, unknown>>;
}

interface Nodes {
  readonly twoWay: Readonly<Record<string, Topology>>;
  readonly sources: Readonly<
    Record<string, { readonly url?: string; readonly stateStore?: string; readonly capture: CaptureKind }>
  >;
  readonly targets: Readonly<
    Record<
      string,
      {
        readonly type: string;
        readonly sources?: readonly string[];
        readonly map?: unknown;
        readonly conflicts?: unknown;
        readonly schema?: string;
      }
    >
  >;
}

type Problem = readonly [path: readonly PropertyKey[], message: string];

/** Everything in two-way sync that can't work, each with its place. */
export function twoWayProblems(config: Nodes): readonly Problem[] {
  const topologies = Object.entries(config.twoWay);
  if (topologies.length === 0) return [];
  return [
    ...topologies.flatMap(([name, topology]) => problemsOf(config, name, topology)),
    ...sharedNodes(topologies),
    ...strayTargets(config),
  ];
}

/** The sources that a node's target follows: the hub follows its leaves, a leaf its hub. Absent for targets that are no nodes. */
export function followedBy(
  twoWay: Readonly<Record<string, Topology>>,
  target: string,
): readonly string[] | undefined {
  for (const { hub, leaves } of Object.values(twoWay)) {
    if (target === hub) return leaves;
    if (leaves.includes(target)) return [hub];
  }
  return undefined;
}

function problemsOf(config: Nodes, name: string, topology: Topology): readonly Problem[] {
  const { hub, leaves } = topology;
  const at = ["twoWay", name] as const;
  const problems: Problem[] = [];
  if (leaves.includes(hub)) problems.push([[...at, "leaves"], "must not hold the hub"]);
  if (new Set(leaves).size < leaves.length) problems.push([[...at, "leaves"], "must differ"]);
  if (leaves.length > 1 && config.sources[hub]?.capture === "subscriber")
    problems.push([["sources", hub, "capture"], forwarding]);
  problems.push(...deafTargets(config, topology));
  const nodes = [
    [hub, [...at, "hub"]] as const,
    ...leaves.map((leaf, i) => [leaf, [...at, "leaves", i]] as const),
  ];
  for (const [node, path] of nodes) problems.push(...nodeProblems(config, topology, node, path));
  return problems;
}

const forwarding =
  "the hub of several leaves must send on what it gets from each, which subscriber doesn't see: capture by trigger, wal or binlog";

/** A node's lanes write past its subscriber: a further target of it would lack all rows of the other nodes. */
function deafTargets({ sources, targets }: Nodes, { hub, leaves }: Topology): readonly Problem[] {
  const nodes = new Set([hub, ...leaves]);
  const further = Object.entries(targets).filter(([name]) => !nodes.has(name));
  return [...nodes].flatMap((node) => {
    const mirrors = further.filter(([, { sources }]) => sources?.includes(node)).map(([name]) => name);
    if (mirrors.length === 0 || sources[node]?.capture !== "subscriber") return [];
    const message = `${mirrors.join(", ")} would lack what other nodes write, which subscriber doesn't see: capture by trigger, wal or binlog`;
    return [[["sources", node, "capture"], message] as const];
  });
}

function nodeProblems(
  { sources, targets }: Nodes,
  topology: Topology,
  node: string,
  path: readonly PropertyKey[],
): readonly Problem[] {
  const source = sources[node];
  const target = targets[node];
  if (source === undefined || target === undefined) {
    return [[path, `${node} must be among sources and among targets: a node is written and read`]];
  }
  const problems: Problem[] = [];
  const inTarget = (option: string, message: string): void =>
    void problems.push([["targets", node, option], message]);
  if (source.url === undefined)
    problems.push([["sources", node, "url"], "is needed: a node's rows get triggers"]);
  if (source.stateStore !== undefined)
    problems.push([
      ["sources", node, "stateStore"],
      "a node of two-way sync is written, so nothing lies apart from it",
    ]);
  if (target.type !== "postgres" && target.type !== "mysql")
    inTarget("type", "a node must be postgres or mysql");
  if (target.schema === "managed")
    inTarget("schema", "a node's tables are its application's: leave it out, or external");
  if (target.map !== undefined) inTarget("map", "a node holds the same rows as the others: leave it out");
  if (target.conflicts !== undefined) inTarget("conflicts", "are decided by twoWay: leave it out");
  const followed = node === topology.hub ? topology.leaves : [topology.hub];
  if (
    target.sources !== undefined &&
    [...target.sources].toSorted().join() !== [...followed].toSorted().join()
  )
    inTarget("sources", `must be what twoWay says (${followed.join(", ")}): leave it out`);
  return problems;
}

function sharedNodes(topologies: readonly (readonly [string, Topology])[]): readonly Problem[] {
  const seen = new Map<string, string>();
  return topologies.flatMap(([name, { hub, leaves }]) =>
    [...new Set([hub, ...leaves])].flatMap((node): Problem[] => {
      const other = seen.get(node);
      seen.set(node, name);
      return other === undefined ? [] : [[["twoWay", name], `${node} is a node of ${other} already`]];
    }),
  );
}

/** The same rows come from every node: a target that takes them from several would get each more than once, in no order. */
function strayTargets({ twoWay, targets }: Nodes): readonly Problem[] {
  return Object.entries(targets)
    .filter(([name, { sources }]) => sources === undefined && followedBy(twoWay, name) === undefined)
    .map(([name]) => [
      ["targets", name, "sources"],
      "must say which sources it mirrors: every node of twoWay has the same rows",
    ]);
}
