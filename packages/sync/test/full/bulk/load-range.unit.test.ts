import {
  type BulkReader,
  type Fault,
  type KeyRange,
  LockstepError,
  type TableSchema,
  type TargetTable,
} from "@lockstep/core";
import { expect } from "chai";
import { type Load, loadRange } from "../../../src/full/bulk/load-range.js";

/** A table of rows 1…n whose target refuses some of them. */
function loadOf(refused: ReadonlySet<number>, code: Fault["code"] = "TARGET_CHECK") {
  const asked: string[] = [];
  const numbers = ({ after, through }: KeyRange): number[] => {
    const first = Number(after?.[0] ?? 0) + 1;
    return Array.from({ length: Number(through[0]) - first + 1 }, (_, i) => first + i);
  };
  const reader: Pick<BulkReader, "cut" | "read"> = {
    cut: async (_, range, rows) => {
      const key = numbers(range)[rows - 1];
      return key === undefined || String(key) === range.through[0] ? undefined : [String(key)];
    },
    async *read(_, range) {
      yield Buffer.from(numbers(range).join(","));
    },
  };
  const take = async (how: string, pieces: AsyncIterable<Buffer>, refuse: boolean): Promise<number> => {
    let text = "";
    for await (const piece of pieces) text += piece.toString();
    const rows = text.split(",").map(Number);
    asked.push(`${how} ${rows.length}`);
    if (refuse && rows.some((row) => refused.has(row))) throw new Error("refused");
    return rows.length;
  };
  const load: Load = {
    reader: reader as BulkReader,
    loader: {
      layout: () => undefined,
      count: async () => 0,
      load: (_, __, pieces) => take("load", pieces, true),
      merge: (_, pieces) => take("merge", pieces, code !== "TARGET_UNIQUE"),
      close: async () => undefined,
    },
    target: {
      classify: (error) => ({
        kind: error instanceof Error && error.message === "refused" ? "row" : "systemic",
        code,
      }),
    },
    schema: {} as TableSchema,
    table: {} as TargetTable,
    layout: { format: "text" },
  };
  return { load, asked };
}

const all: KeyRange = { through: ["100000"] };

describe("a range past the stream", () => {
  it("is narrowed down to about a thousand rows around what the target refuses", async () => {
    const { load } = loadOf(new Set([54_321]));
    const { rows, refused } = await loadRange(load, all, 100_000);
    expect(rows).to.equal(99_000);
    expect(refused).to.deep.equal([{ after: ["54000"], through: ["55000"] }]);
  });

  it("isn't tried to its end when all of it seems to be refused", async () => {
    const { load, asked } = loadOf(new Set(Array.from({ length: 100_000 }, (_, i) => i + 1)));
    const { rows, refused } = await loadRange(load, all, 100_000);
    expect(rows).to.equal(0);
    expect(refused[0]?.after).to.equal(undefined);
    expect(refused.at(-1)?.through).to.deep.equal(["100000"]);
    refused.slice(1).forEach((range, i) => expect(range.after).to.deep.equal(refused[i]!.through));
    expect(asked.length).to.be.lessThan(20);
  });

  it("is merged when rows of it are there", async () => {
    const { load, asked } = loadOf(new Set([7]), "TARGET_UNIQUE");
    expect(await loadRange(load, all, 100_000)).to.deep.equal({ rows: 100_000, refused: [] });
    expect(asked).to.deep.equal(["load 100000", "merge 100000"]);
  });

  it("leaves to the stream what the reader can't read in one piece", async () => {
    const { load } = loadOf(new Set());
    const tooLong = new LockstepError("TARGET_VALUE", "a row is too long");
    const refusing: Load = { ...load, loader: { ...load.loader, load: () => Promise.reject(tooLong) } };
    const small: KeyRange = { through: ["10"] };
    expect(await loadRange(refusing, small, 10)).to.deep.equal({ rows: 0, refused: [small] });
  });

  it("throws what isn't about rows", async () => {
    const { load } = loadOf(new Set());
    const broken: Load = {
      ...load,
      loader: { ...load.loader, load: () => Promise.reject(new Error("away")) },
    };
    const error = await loadRange(broken, all, 100_000).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(Error).with.property("message", "away");
  });
});
