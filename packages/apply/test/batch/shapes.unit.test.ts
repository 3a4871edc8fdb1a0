import { type ChangeEvent, type Changes, decodeEntry, encodeEntry, positionOf } from "@lockstep/core";
import { shapesOf } from "@lockstep/testing";
import { expect } from "chai";
import { collapse } from "../../src/batch/collapse.js";
import { schemaOf } from "./table-model.js";

const orders = schemaOf("orders", ["id", "note"]);
const count = 2000;
/** By then the code is optimized. */
const rounds = 20;

describe("what a lane makes of each row", () => {
  it("has the same few shapes, however often it was made, one by one and packed", () => {
    const events: Changes[] = [packed(0), ...plain(count)];
    const transactions = [{ id: "1", at: 1, events: 2 * count }];
    const head = { id: positionOf(2, 1), previous: positionOf(1, 1), incarnation: "i", total: 1 };
    const encoded = encodeEntry({ ...head, endsTick: true, continues: false, transactions, events });
    const made: object[] = [];
    for (let round = 0; round < rounds; round++) {
      const entry = decodeEntry(encoded);
      const [segment] = collapse([entry], () => orders);
      const { writes = [] } = segment?.tables[0] ?? {};
      expect(writes).to.have.length(2 * count);
      made.push(...sampled(entry.events), ...sampled(writes));
    }
    // Changes, and rows.
    expect(shapesOf(made)).to.equal(2);
  });
});

function packed(from: number): Changes {
  const lines = rows(from).map(({ key, image }) => `i${key}\t${image}`);
  return { ordinal: count, count, schema: orders.fingerprint, lines: lines.join("\n") };
}

function plain(from: number): ChangeEvent[] {
  return rows(from).map(({ key, image }, i) => {
    const ordinal = count + i + 1;
    return { ordinal, op: "update", schema: orders.fingerprint, key, image };
  });
}

function rows(from: number): { readonly key: string; readonly image: string }[] {
  return Array.from({ length: count }, (_, i) => {
    const id = String(from + i);
    return { key: JSON.stringify([id]), image: JSON.stringify([id, "a note that is no short one"]) };
  });
}

function sampled<T>(all: readonly T[]): T[] {
  return all.filter((_, i) => i % 200 === 0);
}
