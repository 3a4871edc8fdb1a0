import { isLockstepError } from "@lockstep/core";
import {
  contractContext,
  contractTable,
  incarnation,
  openLane,
  rejection,
  startLossyProxy,
} from "@lockstep/testing/target-contract";
import { expect } from "chai";
import { isAmbiguous } from "../../src/lane/ambiguous-commit.js";
import { openFixture } from "../fixture.js";

describe("a COMMIT whose reply is lost", () => {
  const context = contractContext(openFixture);

  it("of a step that moves no position is told apart from one that never came", async () => {
    const proxy = context.closing(await startLossyProxy(context.fixture.url));
    const lane = await openLane(await context.target({ url: proxy.url }), "no-move");
    const stay = { from: lane.checkpoint, to: lane.checkpoint.position, total: 0, incarnation, records: 0 };
    const moved = await lane.session.step(stay, async () => proxy.loseNextReply());
    expect(moved).deep.include({ position: lane.checkpoint.position, epoch: lane.checkpoint.epoch });
    await lane.close();

    const again = await openLane(await context.target({ url: proxy.url }), "no-move");
    const error = await rejection(
      again.session.step({ ...stay, from: again.checkpoint }, async () => proxy.loseNextRequest()),
    );
    expect(isLockstepError(error), String(error)).equal(false);
    await again.close();
  });

  it("is fenced out when another session has taken the lane meanwhile, even if it landed", async () => {
    const table = contractTable(context.fixture, "taken_over", { id: "integer" });
    await table.create();
    const proxy = context.closing(await startLossyProxy(context.fixture.url));
    const lane = await openLane(await context.target({ url: proxy.url }), "taken-over");
    const rows = await lane.table(table);
    // A trigger stands for the session that takes over between the commit and the question.
    await context.fixture.run(`
      create function take_over() returns trigger language plpgsql as $$ begin new.epoch := new.epoch + 1; return new; end $$;
      create trigger take_over before update on lockstep.checkpoint for each row when (new.source = 'taken-over') execute function take_over()`);
    const error = await rejection(
      lane.step(async (transaction) => {
        await transaction.upsert(rows, [table.row("1")]);
        proxy.loseNextReply();
      }),
    );
    expect(isLockstepError(error, "TARGET_FENCED"), String(error)).equal(true);
    expect(await table.rows()).deep.equal([["1"]]);
    await lane.close();
  });

  it("is not ambiguous when the server has refused it", async () => {
    await context.fixture.run(`
      create table deferred_parent (id integer primary key);
      create table deferred_child (id integer primary key,
        parent_id integer references deferred_parent deferrable initially deferred)`);
    const table = contractTable(context.fixture, "deferred_child", { id: "integer", parent_id: "integer" });
    const target = await context.target();
    const lane = await openLane(target, "deferred");
    const rows = await lane.table(table);
    const error = await rejection(
      lane.step((transaction) => transaction.upsert(rows, [table.row("1", "9")])),
    );
    expect(target.classify(error)).deep.include({ kind: "row", code: "TARGET_FOREIGN_KEY" });
    await lane.step((transaction) => transaction.upsert(rows, [table.row("1", null)]));
    await lane.close();
  });

  it("rejects with the first failure when a failed statement's error was swallowed", async () => {
    const table = contractTable(context.fixture, "swallowed_error", { id: "integer" }, { check: "id > 0" });
    await table.create();
    const target = await context.target();
    const lane = await openLane(target, "swallowed-error");
    const rows = await lane.table(table);
    const error = await rejection(
      lane.step(async (transaction) => {
        await transaction.upsert(rows, [table.row("-1")]).catch(() => undefined);
      }),
    );
    expect(target.classify(error)).deep.include({ kind: "row", code: "TARGET_CHECK" });
    expect((await lane.session.checkpoint())?.position).equal(lane.checkpoint.position);
    await lane.close();
  });

  it("is ambiguous for whatever doesn't say that the server refused", () => {
    const error = (code?: string) =>
      Object.assign(new Error("…"), code === undefined ? {} : { code, severity: "ERROR" });
    for (const state of [undefined, "57P01", "57P02", "08006", "53200", "58030", "XX000"]) {
      expect(isAmbiguous(error(state)), String(state)).equal(true);
    }
    for (const state of ["23503", "40001", "25P02", "P0001"])
      expect(isAmbiguous(error(state)), state).equal(false);
  });
});
