import { expect } from "chai";
import { runIncremental } from "../../src/incremental/run-incremental.js";

describe("an incremental sync", () => {
  for (const passes of [0, 1]) {
    it(`calls its targets seeded after its first pass, also where another process has done ${passes}`, async () => {
      const seeded: number[] = [];
      const lane = { source: "vendor", partition: 0, position: "1-1" };
      const target = {
        checkpoints: async () => [lane],
        setSeeded: async ({ partition }: typeof lane) => void seeded.push(partition),
      };
      const job = {
        id: "job",
        state: "running",
        options: { targets: [], tables: [], deletes: false },
        progress: { targets: [], tables: [], passes },
      };
      const room = {
        source: "vendor",
        claim: {
          read: async () => job,
          step: async (work: (run: unknown) => Promise<unknown>) => Boolean(await work(undefined)),
        },
        jobs: { move: async () => undefined },
        log: { barrier: async () => "1-1" },
        targets: [{ target }],
        isWhole: true,
        stop: new AbortController().signal,
        now: () => performance.now(),
        sleep: async () => undefined,
      };
      expect(await runIncremental(room as unknown as Parameters<typeof runIncremental>[0])).to.equal("done");
      expect(seeded).to.deep.equal([0]);
    });
  }
});
