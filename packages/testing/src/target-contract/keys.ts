import { type Engine, isLockstepError, toCanonical } from "@lockstep/core";
import { expect } from "chai";
import type { ContractContext } from "./contract-context.js";
import { letterWrite, openLane } from "./contract-lane.js";
import { contractTable } from "./contract-table.js";
import { rejection } from "./rejection.js";

/** Back to what the first version made. */
const older: Readonly<Record<Engine, readonly string[]>> = {
  postgres: [
    "alter table lockstep.checkpoint drop column restarts",
    "update lockstep.identity set version = version - 1",
  ],
  mysql: ["ALTER TABLE lockstep_checkpoint DROP COLUMN restarts", "UPDATE lockstep_identity SET layout = 1"],
};

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
      expect(await target.keys!(table.schema, { limit: 5 })).deep.equal({ keys: [] });
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
      let after: readonly string[] | undefined;
      do {
        const page = await target.keys!(table.schema, { limit: 7, ...(after && { after }) });
        listed.push(...page.keys);
        after = page.next;
      } while (after !== undefined);
      const canonical = (key: readonly string[]): string =>
        JSON.stringify(key.map((text, i) => toCanonical(source, table.schema.columns[i]!, text)));
      expect(listed.map(canonical).sort()).deep.equal(keys.map(canonical).sort());
      await lane.close();
    });
  }

  it("puts a lane where a full sync begins: its owner is fenced out, its letters and staged parts are over", async () => {
    const target = await context.target();
    const table = contractTable(context.fixture, "restarted", { id: "integer", note: "string" });
    await table.create();
    const lane = await openLane(target, "restarted");
    await lane.table(table);
    await lane.step(async (transaction) => {
      await transaction.putLetter(letterWrite(table, table.key("1")));
      await transaction.stage("1-1", ["a line"]);
    });
    await target.setSeeded({ source: "restarted", partition: 0 });
    await target.restart({ source: "restarted", partition: 0 }, { position: "77-5", incarnation: "another" });
    expect(isLockstepError(await rejection(lane.step(async () => undefined)), "TARGET_FENCED")).equal(true);
    await lane.close();
    const next = await openLane(target, "restarted");
    expect(next.checkpoint).deep.include({ position: "77-5", incarnation: "another", seeded: false });
    expect(await next.session.letterCounts()).deep.include({ retrying: 0 });
    await next.step(async (transaction) => {
      expect(await transaction.staged(0, 10)).deep.equal([]);
    });
    const start = { position: "1-1", incarnation: "i" } as const;
    const error = await rejection(target.restart({ source: "nobody", partition: 0 }, start));
    expect(isLockstepError(error, "LANE_UNKNOWN"), String(error)).equal(true);
    await next.close();
  });

  it("adds what its own tables lack that an older version made", async () => {
    const { engine, run } = context.fixture;
    const target = await context.target();
    const { id } = await target.open();
    const lane = await openLane(target, "older");
    await lane.close();
    for (const statement of older[engine]) await run(statement);
    const next = await context.target();
    expect(await next.open()).deep.equal({ id });
    const [found] = (await next.checkpoints()).filter(({ source }) => source === "older");
    expect(found).deep.include({ restarts: 0 });
    await next.restart({ source: "older", partition: 0 }, { position: "7-1", incarnation: "i" });
    const again = await openLane(next, "older");
    expect(again.checkpoint).deep.include({ position: "7-1", restarts: 1 });
    await again.close();
  });

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
