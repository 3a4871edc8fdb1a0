import { expect } from "chai";
import fc from "fast-check";
import { laterVersion, type RowVersion } from "../../src/conflict/row-version.js";
import { type Content, lastWriteWins, type Policy, Star } from "./star-model.js";

const keys = ["1", "2"];
/** A campaign: LOCKSTEP_TWO_WAY_RUNS=40000. */
const numRuns = Number(process.env["LOCKSTEP_TWO_WAY_RUNS"] ?? 400);
const timeoutMs = Math.max(60_000, numRuns * 5);

type Step =
  | { readonly do: "write"; readonly node: number; readonly key: string; readonly row: Content }
  | { readonly do: "deliver" | "repeat"; readonly leaf: number; readonly up: boolean; readonly n: number }
  | { readonly do: "snapshot"; readonly node: number; readonly key: string }
  | { readonly do: "skew"; readonly node: number; readonly by: number }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "age"; readonly pruned: readonly boolean[]; readonly times: number };

const node = fc.nat({ max: 2 });
const key = fc.constantFrom(...keys);
const write = fc.record({
  do: fc.constant("write" as const),
  node,
  key,
  row: fc.option(fc.stringMatching(/^[a-f]{1,2}$/), { nil: null, freq: 3 }),
});
const lane = {
  leaf: fc.nat({ max: 1 }),
  up: fc.boolean(),
  n: fc.nat({ max: 4 }).map((n) => n + 1),
};
const deliver = fc.record({ do: fc.constant("deliver" as const), ...lane });
const repeat = fc.record({ do: fc.constant("repeat" as const), ...lane });
const snapshot = fc.record({ do: fc.constant("snapshot" as const), node, key });
const skew = fc.record({
  do: fc.constant("skew" as const),
  node,
  by: fc.integer({ min: -5000, max: 5000 }),
});
const wait = fc.record({ do: fc.constant("wait" as const), ms: fc.nat({ max: 100 }) });
const age = fc.record({
  do: fc.constant("age" as const),
  pruned: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
  times: fc.constantFrom(0.5, 1, 2),
});

const setting = fc.record({
  leaves: fc.constantFrom(["a"], ["a", "z"]),
  captures: fc.record({ hub: fc.boolean(), leaf: fc.boolean() }),
  older: fc.array(fc.tuple(node, key, fc.constantFrom("x", "y")), { maxLength: 3 }),
});

function stepsOf(...more: fc.Arbitrary<Step>[]): fc.Arbitrary<readonly Step[]> {
  return fc.array(fc.oneof({ weight: 3, arbitrary: write }, { weight: 4, arbitrary: deliver }, ...more), {
    maxLength: 40,
  });
}

type Setting = typeof setting extends fc.Arbitrary<infer T> ? T : never;

/** A star with rows from before its time; a hub whose capture doesn't see lanes can serve one leaf only. */
function starOf({ leaves, captures, older }: Setting, policy: Policy): Star {
  const star = new Star(leaves, policy, { ...captures, hub: captures.hub || leaves.length > 1 });
  for (const [at, key, row] of older) star.nodes[at % star.nodes.length]!.put(key, row, undefined, 0);
  return star;
}

function run(star: Star, steps: readonly Step[]): void {
  for (const step of steps) {
    star.now++;
    take(star, step);
  }
}

function take(star: Star, step: Step): void {
  const nodeOf = (n: number) => star.nodes[n % star.nodes.length]!;
  switch (step.do) {
    case "write":
      return nodeOf(step.node).write(step.key, step.row, star.now);
    case "snapshot":
      return nodeOf(step.node).snapshot(step.key, star.now);
    case "deliver":
    case "repeat": {
      const leaf = star.leaves[step.leaf % star.leaves.length]!;
      const [from, to] = step.up ? ([leaf, star.hub] as const) : ([star.hub, leaf] as const);
      return star[step.do](from, to, step.n);
    }
    case "skew":
      nodeOf(step.node).skew = step.by;
      return;
    case "wait":
      star.now += step.ms;
      return;
    case "age":
      return star.age(step.pruned, step.times);
  }
}

function allEqual(star: Star): void {
  for (const leaf of star.leaves) expect(star.contents(leaf)).to.deep.equal(star.contents(star.hub));
}

const policies: Readonly<Record<string, Policy>> = {
  "last write wins": lastWriteWins,
  "the hub wins": (_, target) => target.row,
  "the leaf wins": (source) => source.row,
  "what neither commutes nor repeats": (source, target) =>
    `${source.row ?? "-"}${target.row ?? "+"}`.slice(-7),
  "deletes when in doubt": (source, target) => (source.row === target.row ? source.row : null),
};

/** Rows without a version are unknown to the others: only full syncs make them equal, one after the other or at a time. */
function seed(star: Star, atOnce = false): void {
  for (const node of star.nodes) {
    for (const key of keys) node.snapshot(key, star.now);
    if (!atOnce) star.settle();
  }
  star.settle();
}

describe("two-way: one node decides", function () {
  this.timeout(timeoutMs);

  for (const [name, policy] of Object.entries(policies)) {
    it(`ends with all nodes equal, whatever happens on the way: ${name}`, () => {
      const steps = stepsOf(repeat, snapshot, skew, wait, age);
      fc.assert(
        fc.property(setting, steps, fc.boolean(), (start, steps, atOnce) => {
          const star = starOf(start, policy);
          seed(star, atOnce);
          allEqual(star);
          run(star, steps);
          star.settle();
          allEqual(star);
        }),
        { numRuns },
      );
    });
  }

  it("shows the write with the highest stamp under last write wins, deletes among them", () => {
    fc.assert(
      fc.property(setting, stepsOf(repeat, snapshot, skew, wait), (start, steps) => {
        const star = starOf({ ...start, older: [] }, lastWriteWins);
        run(star, steps);
        const writes = star.nodes.flatMap(({ log }) => log);
        star.settle();
        for (const key of keys) {
          const own = writes.filter((event) => event.key === key && event.version !== undefined);
          const last = own.reduce<(typeof own)[number] | undefined>(later, undefined);
          expect(star.hub.held(key).row).to.equal(last?.row ?? null);
        }
        allEqual(star);
      }),
      { numRuns },
    );
  });

  it("never lets a write lose to one that it knew of, whatever the clocks and the policy say", () => {
    fc.assert(
      fc.property(
        setting,
        fc.constantFrom(...Object.values(policies)),
        stepsOf(skew, wait),
        node,
        (start, policy, steps, last) => {
          const star = starOf(start, policy);
          seed(star);
          run(star, steps);
          star.settle();
          const { conflicts } = star;
          star.nodes[last % star.nodes.length]!.write("1", "last", star.now);
          star.settle();
          for (const one of star.nodes) expect(star.contents(one)).to.include({ "1": "last" });
          expect(star.conflicts).to.equal(conflicts);
        },
      ),
      { numRuns },
    );
  });
});

type Written = { readonly version?: RowVersion };

function later<T extends Written>(one: T | undefined, other: T): T {
  if (one === undefined) return other;
  return laterVersion(one.version!, other.version!) === one.version ? one : other;
}
