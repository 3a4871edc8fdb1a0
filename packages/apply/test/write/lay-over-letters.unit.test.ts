import type { RowImage } from "@lockstep/core";
import { expect } from "chai";
import { type PlannedWrite, rowId, type Segment } from "../../src/batch/planned-changes.js";
import { layOver } from "../../src/write/lay-over-letters.js";
import { customers } from "./model-target.js";

const { schema } = customers;
const part = { id: "5-9", events: [] } as const;
const row = (id: string) => rowId("public.customers", `["${id}"]`);

function write(image: RowImage, before?: string): PlannedWrite {
  const key = JSON.stringify([image[0]]);
  const event = { ordinal: 1, op: "update" as const, schema: schema.fingerprint, key };
  const plain = { key, image, schema, event, part, partial: image.includes(0) };
  return before === undefined ? plain : { ...plain, before: `["${before}"]` };
}

function segmentOf(writes: readonly PlannedWrite[], removed: readonly string[] = []): Segment {
  const removes = removed.map((id) => {
    const key = `["${id}"]`;
    return {
      key,
      schema,
      part,
      event: { ordinal: 1, op: "delete" as const, schema: schema.fingerprint, key },
    };
  });
  return { truncates: [], tables: [{ schema, writes, removes }] };
}

function laid(segment: Segment, untaken: Parameters<typeof layOver>[1]) {
  const [table] = layOver([segment], untaken)[0]!.tables;
  return {
    writes: table!.writes.map((w) =>
      w.before === undefined ? w.image.join() : `${w.before}>${w.image.join()}`,
    ),
    removes: table!.removes.map(({ key }) => key),
    partial: table!.writes.map((w) => w.partial),
  };
}

describe("layOver", () => {
  it("completes a partial image, and leaves a whole one alone", () => {
    const older = { image: { schema, image: ["1", "old@x", "old"] } };
    const untaken = new Map([[row("1"), older]]);
    expect(laid(segmentOf([write(["1", 0, "new"])]), untaken)).deep.include({
      writes: ["1,old@x,new"],
      partial: [false],
    });
    expect(laid(segmentOf([write(["1", "n@x", "new"])]), untaken).writes).deep.equal(["1,n@x,new"]);
  });

  it("makes a key change that the target never made", () => {
    const untaken = new Map([[row("2"), { before: '["1"]' }]]);
    expect(laid(segmentOf([write(["2", "a", "n"])]), untaken).writes).deep.equal(['["1"]>2,a,n']);
    expect(laid(segmentOf([write(["3", "a", "n"], "2")]), untaken).writes).deep.equal(['["1"]>3,a,n']);
    expect(laid(segmentOf([write(["1", "a", "n"], "2")]), untaken).writes).deep.equal(["1,a,n"]);
    expect(laid(segmentOf([], ["2"]), untaken).removes).deep.equal(['["2"]', '["1"]']);
  });

  it("takes the image of the key before", () => {
    const untaken = new Map([[row("1"), { image: { schema, image: ["1", "a", "b"] } }]]);
    expect(laid(segmentOf([write(["2", 0, "c"], "1")]), untaken).writes).deep.equal(['["1"]>2,a,c']);
  });

  it("lays a letter over the first change of its row only", () => {
    const untaken = new Map([[row("1"), { image: { schema, image: ["1", "old", "old"] } }]]);
    const segments = [segmentOf([write(["1", 0, "x"])]), segmentOf([write(["1", 0, "y"])])];
    const [, second] = layOver(segments, untaken);
    expect(second!.tables[0]!.writes[0]!.image).deep.equal(["1", 0, "y"]);
  });
});
