import { expect } from "chai";
import type { ContractContext } from "./contract-context.js";
import { openLane } from "./contract-lane.js";
import { contractTable } from "./contract-table.js";
import { startLossyProxy } from "./lossy-proxy.js";
import { rejection } from "./rejection.js";

/** Tier `transactions`: rows and checkpoint move together or not at all. */
export function transactionsContract(context: ContractContext): void {
  it("rolls back rows and checkpoint when the work throws", async () => {
    const table = contractTable(context.fixture, "rolled_back", { id: "integer" });
    await table.create();
    const lane = await openLane(await context.target(), "rolled-back");
    const target = await lane.table(table);
    const mine = new Error("scripted");
    const error = await rejection(
      lane.step(async (transaction) => {
        await transaction.upsert(target, [table.row("1")]);
        throw mine;
      }),
    );
    expect(error).equal(mine);
    expect(await table.rows()).deep.equal([]);
    expect(await lane.session.checkpoint()).deep.equal(lane.checkpoint);
    await lane.step((transaction) => transaction.upsert(target, [table.row("2")]));
    expect(await table.rows()).deep.equal([["2"]]);
    await lane.close();
  });

  it("shows nobody a row before the step has ended", async () => {
    const table = contractTable(context.fixture, "not_yet", { id: "integer" });
    await table.create();
    const lane = await openLane(await context.target(), "not-yet");
    const target = await lane.table(table);
    await lane.step(async (transaction) => {
      await transaction.upsert(target, [table.row("1")]);
      expect(await table.rows()).deep.equal([]);
    });
    expect(await table.rows()).deep.equal([["1"]]);
    await lane.close();
  });

  it("rolls back to a savepoint, and goes on", async () => {
    const table = contractTable(context.fixture, "savepoints", { id: "integer" }, { check: "id < 100" });
    await table.create();
    const lane = await openLane(await context.target(), "savepoints");
    const target = await lane.table(table);
    const refused: unknown[] = [];
    await lane.step(async (transaction) => {
      for (const id of ["1", "100", "2", "101", "3"]) {
        try {
          await transaction.savepoint(() => transaction.upsert(target, [table.row(id)]));
        } catch (error) {
          refused.push(error);
        }
      }
      expect(await transaction.savepoint(async () => "result")).equal("result");
    });
    expect(refused).length(2);
    expect(await table.rows()).deep.equal([["1"], ["2"], ["3"]]);
    await lane.close();
  });

  for (const count of [1, 300]) {
    it(`goes on when the very first statement of a step fails behind a savepoint, ${count} rows at a time`, async () => {
      const name = `first_fails_${count}`;
      const table = contractTable(
        context.fixture,
        name,
        { id: "integer", amount: "integer" },
        { check: "amount > 0" },
      );
      await table.create();
      const lane = await openLane(await context.target(), name);
      const target = await lane.table(table);
      const rows = (amount: string) => Array.from({ length: count }, (_, n) => table.row(String(n), amount));
      const before = lane.checkpoint;
      await lane.step(async (transaction) => {
        await rejection(transaction.savepoint(() => transaction.upsert(target, rows("-1"))));
        await transaction.upsert(target, rows("1"));
      });
      expect(await table.rows()).length(count);
      expect(lane.checkpoint.position).not.equal(before.position);
      expect(await lane.session.checkpoint()).deep.equal(lane.checkpoint);
      await lane.close();
    });
  }

  it("rolls back to the outer savepoint what an inner one had kept", async () => {
    const table = contractTable(context.fixture, "nested_savepoints", { id: "integer" });
    await table.create();
    const lane = await openLane(await context.target(), "nested-savepoints");
    const target = await lane.table(table);
    await lane.step(async (transaction) => {
      await transaction.upsert(target, [table.row("1")]);
      const outer = transaction.savepoint(async () => {
        await transaction.savepoint(() => transaction.upsert(target, [table.row("2")]));
        throw new Error("scripted");
      });
      await rejection(outer);
      await transaction.upsert(target, [table.row("3")]);
    });
    expect(await table.rows()).deep.equal([["1"], ["3"]]);
    await lane.close();
  });

  it("applies once when the write lands but the reply is lost", async () => {
    const table = contractTable(context.fixture, "reply_lost", { id: "integer" });
    await table.create();
    const proxy = context.closing(await startLossyProxy(context.fixture.url));
    const lane = await openLane(await context.target({ url: proxy.url }), "reply-lost");
    const target = await lane.table(table);
    const before = lane.checkpoint;
    const moved = await lane.step(async (transaction) => {
      await transaction.upsert(target, [table.row("1")]);
      proxy.loseNextReply();
    });
    expect(moved.position).not.equal(before.position);
    expect(await table.rows()).deep.equal([["1"]]);
    await lane.session.lost;
    await lane.close();
    const again = await openLane(await context.target(), "reply-lost");
    expect(again.checkpoint).deep.include({ position: moved.position, recordsSynced: moved.recordsSynced });
    await again.close();
  });

  it("says so when neither write nor checkpoint landed, and the lane can be had again", async () => {
    const table = contractTable(context.fixture, "request_lost", { id: "integer" });
    await table.create();
    const proxy = context.closing(await startLossyProxy(context.fixture.url));
    const through = await context.target({ url: proxy.url });
    const lane = await openLane(through, "request-lost");
    const target = await lane.table(table);
    const error = await rejection(
      lane.step(async (transaction) => {
        await transaction.upsert(target, [table.row("1")]);
        proxy.loseNextRequest();
      }),
    );
    expect(through.classify(error).kind).equal("systemic");
    await lane.session.lost;
    await lane.close();
    expect(await table.rows()).deep.equal([]);
    const again = await openLane(await context.target(), "request-lost");
    expect(again.checkpoint.position).equal(lane.checkpoint.position);
    await again.close();
  });

  it("leaves nothing of a step whose connection was killed in the middle", async () => {
    const table = contractTable(context.fixture, "killed_middle", { id: "integer" });
    await table.create();
    const target = await context.target();
    const lane = await openLane(target, "killed-middle");
    const rows = await lane.table(table);
    const error = await rejection(
      lane.step(async (transaction) => {
        await transaction.upsert(rows, [table.row("1")]);
        await context.fixture.killLanes();
        await transaction.upsert(rows, [table.row("2")]);
      }),
    );
    expect(target.classify(error).kind).equal("systemic");
    await lane.session.lost;
    await lane.close();
    expect(await table.rows()).deep.equal([]);
    await (await openLane(await context.target(), "killed-middle")).close();
  });
}
