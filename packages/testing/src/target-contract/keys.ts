import { isLockstepError, toCanonical } from "@lockstep/core";
import { expect } from "chai";
import type { ContractContext } from "./contract-context.js";
import { openLane } from "./contract-lane.js";
import { contractTable } from "./contract-table.js";
import { rejection } from "./rejection.js";

/** What a full sync asks of a target: which rows it holds, and that it says it is seeded. */
export function keysContract(context: ContractContext): void {
  for (const source of ["postgres", "mysql"] as const) {
    it(`lists the keys of a table of ${source}, page by page, as the source knows them`, async () => {
      const name = `listed_${source}`;
      const columns = { text: "string", n: "integer", at: "timestamp", bytes: "bytes" } as const;
      const table = contractTable(context.fixture, name, columns, {
        key: ["text", "n", "at", "bytes"],
        source,
      });
      const target = await context.target({ schema: "managed" });
      expect(await target.keys!(table.schema, { limit: 5 })).deep.equal([]);
      const lane = await openLane(target, name);
      const at = source === "postgres" ? "2026-01-02 03:04:05.6" : "2026-01-02 03:04:05.600000";
      const bytes = source === "postgres" ? "\\x005c27" : "005C27";
      const keys = Array.from(
        { length: 20 },
        (_, i) => [["", "a'", "a\\", "A", "☃"][i % 5]!, String(i - 9), at, bytes] as const,
      );
      const known = await lane.table(table);
      await lane.step((transaction) =>
        transaction.upsert(
          known,
          keys.map((key) => table.row(...key)),
        ),
      );
      const listed: (readonly string[])[] = [];
      for (;;) {
        const after = listed.at(-1);
        const page = await target.keys!(table.schema, { limit: 7, ...(after && { after }) });
        listed.push(...page);
        if (page.length < 7) break;
      }
      const canonical = (key: readonly string[]): string =>
        JSON.stringify(key.map((text, i) => toCanonical(source, table.schema.columns[i]!, text)));
      expect(listed.map(canonical).sort()).deep.equal(keys.map(canonical).sort());
      await lane.close();
    });
  }

  it("keeps that a lane is seeded, and tells the lane with its next step", async () => {
    const target = await context.target();
    const lane = await openLane(target, "seeded");
    expect(lane.checkpoint.seeded).equal(false);
    await target.setSeeded({ source: "seeded", partition: 0 });
    expect((await lane.step(async () => undefined)).seeded).equal(true);
    const error = await rejection(target.setSeeded({ source: "nobody", partition: 0 }));
    expect(isLockstepError(error, "LANE_UNKNOWN"), String(error)).equal(true);
    await lane.close();
  });
}
