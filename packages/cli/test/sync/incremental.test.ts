import { expect } from "chai";
import type { Kind } from "./rig.js";
import { untilEqual } from "./rig.js";
import { openUntouchedRig, type UntouchedRig } from "./untouched-rig.js";

interface Result {
  readonly state: string;
  readonly rows: number;
  readonly removed: number;
  readonly passes: number;
}

interface Way {
  readonly kind: Kind;
  readonly store: Kind;
  readonly target: Kind;
}

const ways: readonly Way[] = [
  { kind: "postgres", store: "postgres", target: "mariadb" },
  { kind: "mariadb", store: "postgres", target: "postgres" },
];

for (const { kind, store, target } of ways) {
  describe(`an incremental sync of ${kind}, with its state in ${store}, to ${target}`, function () {
    this.timeout(90_000);
    let rig: UntouchedRig;
    before(async () => {
      const time = kind === "postgres" ? "timestamptz" : "timestamp(6)";
      const now = kind === "postgres" ? "clock_timestamp()" : "current_timestamp(6)";
      rig = await openUntouchedRig({
        kind,
        store,
        targets: { mirror: target },
        tables: ["invoice"],
        setup: [
          `create table invoice (region varchar(8), id int, note text, changed_at ${time} not null default ${now}, primary key (region, id))`,
          "create index invoice_changed on invoice (changed_at, region, id)",
          `insert into invoice (region, id, note) values ${numbers(2_500)
            .map((n) => `('r${n % 7}', ${n}, 'note ${n}')`)
            .join(", ")}`,
        ],
        incremental: { invoice: { column: "changed_at" } },
      });
    });
    after(async () => rig?.[Symbol.asyncDispose]());

    const pass = async (...args: readonly string[]): Promise<Result> => {
      const said = await rig.lockstep("sync", "incremental", "--json", ...args);
      expect(said.code, said.error).to.equal(0);
      return said.json<Result>();
    };

    it("copies rows that share a change value, and leaves nothing in the source", async () => {
      expect(await pass()).to.deep.include({ state: "done", rows: 2_500, passes: 1 });
      await untilEqual(rig, "mirror");
    });
  });
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}
