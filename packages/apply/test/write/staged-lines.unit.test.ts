import type { ChangeEvent, TargetTransaction } from "@lockstep/core";
import { expect } from "chai";
import { readStagedLine, stagedLine, stagedPages } from "../../src/write/staged-lines.js";
import { TableBook } from "../../src/write/table-book.js";
import { customers } from "./model-target.js";

const { schema } = customers;

function event(ordinal: number, rest: Partial<ChangeEvent> = {}): ChangeEvent {
  return { ordinal, op: "update", schema: schema.fingerprint, key: `["${ordinal}"]`, ...rest };
}

describe("staged lines", () => {
  it("come back as they were", () => {
    const events = [
      event(1, { image: '["1","a\\tb","ü"]' }),
      event(2, { image: '["2",null,0]', before: '["9"]' }),
      event(3, { op: "delete" }),
      event(4, { op: "delete", before: "[]" }),
      event(5, { image: '["5","a"]', version: '{"stamp":1}' }),
      event(6, { op: "delete", before: "[]", version: '{"stamp":1}' }),
    ];
    for (const one of events) {
      expect(readStagedLine(stagedLine("7-4", one))).deep.equal({ position: "7-4", event: one });
    }
  });

  it("are read page by page, then the parts at hand", async () => {
    const lines = [1, 2, 3, 4, 5].map((n) => ({
      n,
      line: stagedLine(n < 3 ? "1-2" : "1-5", event(n, { image: `["${n}","e","n"]` })),
    }));
    const staged: TargetTransaction["staged"] = async (after, limit) =>
      lines.filter(({ n }) => n > after).slice(0, limit);
    const tables = new TableBook({ schema: async () => schema }, { tables: async () => [customers] });
    await tables.learn([schema.fingerprint]);
    const last = [{ id: "1-6" as const, events: [event(6, { image: '["6","e","n"]' })] }];
    const pages: string[][] = [];
    for await (const page of stagedPages({ staged }, tables, 2, last)) {
      pages.push(page.flatMap(({ tables: t }) => t.flatMap(({ writes }) => writes.map(({ key }) => key))));
    }
    expect(pages).deep.equal([['["1"]', '["2"]'], ['["3"]', '["4"]'], ['["5"]'], ['["6"]']]);
  });
});
