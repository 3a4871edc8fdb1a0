import { expect } from "chai";
import { mergeGroups } from "../../src/letters/merged-groups.js";

const group = (table: string, code: string, count: number, oldestAt = 0, newestAt = 0) => ({
  table,
  code,
  count,
  oldestAt,
  newestAt,
});

describe("groups of several targets", () => {
  it("are joined by table and code: counts add up, the span widens", () => {
    const merged = mergeGroups(
      [
        { target: "a", groups: [group("public.t", "TARGET_CHECK", 2, 5000, 6000)] },
        {
          target: "b",
          groups: [group("public.t", "TARGET_CHECK", 3, 4000, 5000), group("public.t", "X", 1)],
        },
      ],
      10,
    );
    expect(merged[0]).to.deep.include({
      table: "public.t",
      code: "TARGET_CHECK",
      count: 5,
      oldestAt: "1970-01-01T00:00:04.000Z",
      newestAt: "1970-01-01T00:00:06.000Z",
      targets: { a: 2, b: 3 },
    });
    expect(merged[0]!.hint).to.be.a("string");
    expect(merged[1]).to.deep.include({ code: "X", count: 1, hint: null });
  });

  it("are cut after merging, the largest kept", () => {
    const parts = ["a", "b"].map((target) => ({
      target,
      groups: [group("public.big", "X", 5), group(`public.${target}`, "X", 7)],
    }));
    expect(mergeGroups(parts, 1).map((g) => g.table)).to.deep.equal(["public.big"]);
  });
});
