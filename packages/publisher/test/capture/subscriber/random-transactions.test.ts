import { expect } from "chai";
import fc from "fast-check";
import type { EntityManager } from "typeorm";
import { type DriverType, openSource, type Source } from "../../support/open-source.js";
import { keyedTables } from "../../support/oracle.js";
import { randomWrites } from "../../support/random-writes.js";
import { contents, liveRows, replay } from "../../support/replay.js";

/** A write, or a nested transaction. */
type Step =
  | { readonly write: string; readonly pick: number }
  | { readonly steps: readonly Step[]; readonly commits: boolean };

const write = fc.record({ write: fc.constantFrom(...Object.keys(randomWrites)), pick: fc.nat({ max: 60 }) });
const { transaction } = fc.letrec<{ step: Step; transaction: { steps: Step[]; commits: boolean } }>(
  (tie) => ({
    step: fc.oneof(
      { maxDepth: 3 },
      { arbitrary: write, weight: 4 },
      { arbitrary: tie("transaction"), weight: 1 },
    ),
    transaction: fc.record({
      steps: fc.array(tie("step"), { minLength: 1, maxLength: 5 }),
      commits: fc.boolean(),
    }),
  }),
);
const history = fc.array(fc.oneof(transaction, write), { minLength: 1, maxLength: 8 });

class RolledBack extends Error {}

for (const type of ["postgres", "mariadb", "mysql"] as const satisfies readonly DriverType[]) {
  describe(`random transactions with savepoints and rollbacks: ${type}`, () => {
    let source: Source;
    let names = 0;

    before(async () => {
      source = await openSource(type);
    });
    after(() => source.close());

    it("leave an outbox that tells what the tables hold, and nothing that was rolled back", async function () {
      this.timeout(600_000);
      const runs = Number(process.env["LOCKSTEP_RANDOM_RUNS"] ?? 25);
      await fc.assert(
        fc.asyncProperty(history, async (steps) => {
          await empty();
          const undone: string[] = [];
          for (const step of steps) await perform(source.dataSource.manager, step, "top", undone);
          const outbox = await source.outbox();
          expect(liveRows(replay(outbox))).to.deep.equal(await contents(source, keyedTables(source)));
          const cells = new Set(outbox.flatMap(({ image }) => image ?? []));
          for (const tag of undone) expect(cells.has(tag), tag).to.equal(false);
        }),
        { numRuns: runs },
      );
    });

    /** `undone` gets the tags of frames that are rolled back, with all frames inside. */
    async function perform(manager: EntityManager, step: Step, tag: string, undone: string[]): Promise<void> {
      if ("write" in step) {
        const fresh = () => `fresh${names++}`;
        await randomWrites[step.write]!({ source, manager, tag, fresh, pick: step.pick }).catch(
          (error: unknown) => {
            // TypeORM's own, on type mysql, after an upsert that changed nothing: the statement has run.
            if (!/entity id is not set/.test(String(error))) throw error;
          },
        );
        return;
      }
      const frame = `frame${names++}`;
      const inside: string[] = [frame];
      const run = manager.transaction(async (inner) => {
        for (const child of step.steps) await perform(inner, child, frame, step.commits ? undone : inside);
        if (!step.commits) throw new RolledBack();
      });
      await run.catch((error: unknown) => {
        if (!(error instanceof RolledBack)) throw error;
        undone.push(...inside);
      });
    }

    async function empty(): Promise<void> {
      const tables = ["post_tag", "post", "author", "tag", "line", "part", "model", "maker", "branch"];
      for (const table of tables) await source.sql(`DELETE FROM ${table}`);
      await source.emptyOutbox();
    }
  });
}
