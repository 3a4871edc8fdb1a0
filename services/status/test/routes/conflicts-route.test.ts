import type { ConflictWrite, Target } from "@lockstep/core";
import { expect } from "chai";
import type { ConflictDetailView, ConflictView } from "../../src/conflicts/conflict-schema.js";
import { openRig, type StatusRig } from "../rig/status-rig.js";

const texts = (note: string): string => JSON.stringify({ id: "1", email: "ada@example.com", note });

function conflict(rest: Partial<ConflictWrite> = {}): ConflictWrite {
  return {
    table: "public.customers",
    key: '["1"]',
    position: "7-1",
    policy: "merge",
    outcome: "merged",
    source: texts("ours"),
    target: texts("theirs"),
    result: texts("both"),
    ...rest,
  };
}

async function record(target: Target, conflicts: readonly ConflictWrite[]): Promise<void> {
  await target.open();
  await using lane = (await target.lane({ source: "shop", partition: 0 }))!;
  const from = (await lane.checkpoint()) ?? (await lane.register({ position: "0-0", incarnation: "i" }));
  const move = { from, to: from.position, total: 0, incarnation: "i", records: 0 };
  await lane.step(move, (transaction) => transaction.guarded!.record(conflicts));
}

describe("conflicts", () => {
  let rig: StatusRig;
  before(async () => {
    rig = await openRig({ targets: ["reporting", "archive"], maskColumns: ["customers.email"] });
    await record(rig.targets.get("reporting")!, [conflict(), conflict({ key: '["2"]', outcome: "target" })]);
    await record(rig.targets.get("archive")!, [
      conflict({ table: "public.orders", key: '["3"]', outcome: "source" }),
    ]);
  });
  after(() => rig.close());

  const list = async (query = ""): Promise<{ conflicts: ConflictView[]; next: string | null }> =>
    (await rig.get(`/api/v1/conflicts${query}`)).body as never;
  const keys = async (query: string): Promise<string[]> =>
    (await list(query)).conflicts.map(({ key }) => key);

  it("are listed over all targets, newest first, in pages, without row values", async () => {
    const { conflicts, next } = await list("?limit=2");
    expect(conflicts.map(({ table }) => table)).deep.equal(["public.orders", "public.customers"]);
    const rest = await list(`?limit=2&cursor=${next}`);
    expect([rest.conflicts.length, rest.next]).deep.equal([1, null]);
    expect(JSON.stringify([conflicts, rest])).not.match(/ada|ours|theirs/);
  });

  it("are found by target, table, outcome and time", async () => {
    expect(await keys("?target=archive")).deep.equal(['["3"]']);
    expect(await keys("?entity=orders")).deep.equal(['["3"]']);
    expect(await keys("?source=shop&outcome=target")).length(1);
    expect(await keys("?since=2020-01-01T00:00:00Z")).length(3);
    expect(await keys("?since=2999-01-01T00:00:00Z")).deep.equal([]);
    expect((await rig.get("/api/v1/conflicts?outcome=nobody")).status).equal(400);
    expect((await rig.get("/api/v1/conflicts?target=nobody")).body).include({ code: "REQUEST_INVALID" });
  });

  it("show what both sides had and what became of it, masked columns aside", async () => {
    const [one] = (await list("?outcome=merged")).conflicts;
    const detail = (await rig.get(`/api/v1/conflicts/${encodeURIComponent(one!.id)}`))
      .body as unknown as ConflictDetailView;
    const shown = (note: string) => ({ id: "1", email: "***", note });
    expect(detail.images).deep.equal({
      source: shown("ours"),
      target: shown("theirs"),
      result: shown("both"),
    });
    expect(detail).deep.include({ masked: ["email"], policy: "merge", outcome: "merged", position: "7-1" });
    for (const id of ["reporting~999", "reporting~x", "nobody~1", "nonsense"])
      expect((await rig.get(`/api/v1/conflicts/${id}`)).body).include({
        code: "CONFLICT_UNKNOWN",
        status: 404,
      });
  });

  it("are counted in the status and in the metrics", async () => {
    const counted = { table: "public.customers", policy: "merge", outcome: "merged", count: 3 } as const;
    await rig.reportLane({ conflicts: [counted] });
    const { body } = await rig.get("/api/v1/status");
    expect(JSON.stringify(body)).contain('"conflicts":{"merged":3}');
    expect((await rig.get("/metrics")).body["text"]).contain(
      'lockstep_conflicts_total{source="shop",target="reporting",table="public.customers",policy="merge",outcome="merged"} 3',
    );
  });
});
