import { isLockstepError, primaryWins } from "@lockstep/core";
import { expect } from "chai";
import { parseConfig } from "../src/index.js";

const url = (name: string): string => `postgres://u:p@127.0.0.1/${name}`;
const node = (name: string) => ({ type: "postgres", url: url(name) });
const star = {
  redis: "redis://127.0.0.1:6379",
  sources: {
    main: { url: url("main"), capture: "trigger" },
    north: { url: url("north") },
    south: { url: url("south") },
  },
  targets: { main: node("main"), north: node("north"), south: node("south") },
  twoWay: { shop: { hub: "main", leaves: ["north", "south"], tables: { orders: primaryWins() } } },
};

function problemsOf(config: unknown): string {
  try {
    parseConfig(config);
    return "";
  } catch (error) {
    if (isLockstepError(error, "CONFIG_INVALID")) return error.message;
    throw error;
  }
}

describe("the topology of two-way sync", () => {
  it("says what each node follows", () => {
    const { targets } = parseConfig(star);
    expect(targets["main"]!.sources).to.deep.equal(["north", "south"]);
    expect(targets["south"]!.sources).to.deep.equal(["main"]);
  });

  it("is refused where it can't work, each reason at its place", () => {
    const { targets, sources, twoWay } = star;
    const wrong = problemsOf({
      ...star,
      sources: { ...sources, main: { url: url("main") }, north: {} },
      targets: {
        main: { ...targets.main, sources: ["north"], map: { orders: {} } },
        north: { ...targets.north, schema: "managed", conflicts: { orders: primaryWins() } },
        south: { type: "redis", url: "redis://127.0.0.1", state: url("state") },
        warehouse: node("warehouse"),
      },
      twoWay: {
        ...twoWay,
        other: { hub: "main", leaves: ["main", "west"], tables: { lines: primaryWins() } },
      },
    });
    for (const part of [
      "sources.main.capture: the hub of several leaves",
      "sources.north.url: is needed",
      "targets.main.sources: must be what twoWay says (north, south)",
      "targets.main.map",
      "targets.north.schema",
      "targets.north.conflicts",
      "targets.south.type",
      "targets.warehouse.sources: must say which",
      "twoWay.other.leaves: must not hold the hub",
      "twoWay.other.leaves.1: west must be among sources and among targets",
      "twoWay.other: main is a node of shop already",
    ])
      expect(wrong).to.include(part);
  });

  it("names tables plainly, each with a policy", () => {
    const tables = { "public.orders": primaryWins(), "*": primaryWins(), lines: "no" };
    const wrong = problemsOf({ ...star, twoWay: { shop: { ...star.twoWay.shop, tables } } });
    expect(wrong).to.include("twoWay.shop.tables.public.orders: must be a plain name");
    expect(wrong).to.include("twoWay.shop.tables.*: must be a plain name");
    expect(wrong).to.include("twoWay.shop.tables.lines: must be made by");
    expect(problemsOf({ ...star, twoWay: { shop: { ...star.twoWay.shop, tables: {} } } })).to.include(
      "must name at least one table",
    );
  });

  it("lets a pair's hub be captured by subscriber", () => {
    const pair = {
      ...star,
      sources: { main: { url: url("main") }, north: star.sources.north },
      targets: { main: node("main"), north: node("north") },
      twoWay: { shop: { hub: "main", leaves: ["north"], tables: { orders: primaryWins() } } },
    };
    expect(problemsOf(pair)).to.equal("");
  });

  it("refuses a further target of a node whose subscriber doesn't see what the other nodes write", () => {
    const targets = { ...star.targets, reports: { ...node("reports"), sources: ["north"] } };
    const wrong = problemsOf({ ...star, targets });
    expect(wrong).to.include("sources.north.capture: reports would lack what other nodes write");
    const sources = { ...star.sources, north: { url: url("north"), capture: "wal" } };
    expect(problemsOf({ ...star, sources, targets })).to.equal("");
    const ofHub = { ...star.targets, reports: { ...node("reports"), sources: ["main"] } };
    expect(problemsOf({ ...star, targets: ofHub })).to.equal("");
  });
});
