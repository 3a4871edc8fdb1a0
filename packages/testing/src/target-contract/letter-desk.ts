import { isLockstepError, positionOf, type Target } from "@lockstep/core";
import { expect } from "chai";
import type { ContractContext } from "./contract-context.js";
import { letterWrite, openLane } from "./contract-lane.js";
import { describedTable, putLetter, stateCounts } from "./put-letter.js";
import { rejection } from "./rejection.js";

/** What people and jobs do with letters. */
export function letterDeskContract(context: ContractContext): void {
  it("lets go of the letters that wait for one that is discarded", async () => {
    const target = await context.target();
    const lane = await openLane(target, "let-go");
    const table = describedTable(context, "let_go");
    const blocker = await putLetter(lane, table, table.key("1"));
    const waiting = await putLetter(lane, table, table.key("2"), { state: "waiting", waitingFor: blocker });
    await target.letters.discard(blocker, "ada", "wrong");
    expect((await target.letters.get(waiting))?.state).equal("due");
    await lane.close();
  });

  it("marks a retrying letter due only at the attempt it was scheduled for", async () => {
    const target = await context.target();
    const lane = await openLane(target, "mark");
    const table = describedTable(context, "mark");
    const id = await putLetter(lane, table, table.key("1"), { attempts: 3 });
    expect(await target.letters.markDue(id, 2)).equal(false);
    expect(await target.letters.markDue(id, 3)).equal(true);
    expect(await target.letters.markDue(id, 3)).equal(false);
    expect(await target.letters.markDue("999999999", 3)).equal(false);
    expect(await target.letters.markDue("no such id", 3)).equal(false);
    const dead = await putLetter(lane, table, table.key("2"), { state: "dead", attempts: 5 });
    expect(await target.letters.markDue(dead, 5)).equal(false);
    await lane.close();
  });

  it("counts letters by state: live ones for a lane, all of them at the desk", async () => {
    const target = await context.target();
    const lane = await openLane(target, "counted");
    const table = describedTable(context, "counted");
    const before = await target.letters.counts();
    await putLetter(lane, table, table.key("1"));
    await putLetter(lane, table, table.key("2"), { state: "dead" });
    await putLetter(lane, table, table.key("3"), { state: "dead" });
    await target.letters.discard(await putLetter(lane, table, table.key("4")), "ada", "why not");
    expect(await lane.session.letterCounts()).deep.equal(stateCounts({ retrying: 1, dead: 2 }));
    const after = await target.letters.counts();
    expect(after.dead - before.dead).equal(2);
    expect(after.discarded - before.discarded).equal(1);
    await lane.close();
  });

  it("lists letters in pages, the newest failure first, each exactly once", async () => {
    const target = await context.target();
    const lane = await openLane(target, "listed");
    const table = describedTable(context, "listed");
    const ids: string[] = [];
    // All of one step: failures of the same millisecond are told apart by id.
    await lane.step(async (transaction) => {
      for (let n = 0; n < 7; n++)
        ids.push(await transaction.putLetter(letterWrite(table, table.key(String(n)))));
    });
    const listed: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await target.letters.list(
        { source: "listed" },
        cursor === undefined ? { limit: 3 } : { limit: 3, cursor },
      );
      expect(page.letters.length).most(3);
      listed.push(...page.letters.map(({ id }) => id));
      cursor = page.next;
    } while (cursor !== undefined);
    expect([...listed].sort()).deep.equal([...ids].sort());
    const times = await Promise.all(listed.map(async (id) => (await target.letters.get(id))!.lastFailedAt));
    expect(times).deep.equal([...times].sort((a, b) => b - a));
    expect((await target.letters.list({ source: "listed" }, { limit: 7 })).next).equal(undefined);
    expect(codeOf(await rejection(target.letters.list({}, { limit: 1, cursor: "not one" })))).equal(
      "REQUEST_INVALID",
    );
    await lane.close();
  });

  it("narrows by every field of a filter", async () => {
    const target = await context.target();
    const lane = await openLane(target, "filtered", 5);
    const [orders, items] = [describedTable(context, "f_orders"), describedTable(context, "f_items")];
    const one = await putLetter(lane, orders, orders.key("A_1"), {
      code: "TARGET_UNIQUE",
      about: "Orders_Email",
    });
    const two = await putLetter(lane, orders, orders.key("Ax1"), { state: "dead" });
    const three = await putLetter(lane, items, items.key("100%"));
    const found = async (filter: Parameters<Target["letters"]["list"]>[0]): Promise<readonly string[]> =>
      (await target.letters.list({ source: "filtered", ...filter }, { limit: 50 })).letters
        .map(({ id }) => id)
        .sort();
    expect(await found({})).deep.equal([one, two, three].sort());
    expect(await found({ partition: 4 })).deep.equal([]);
    expect(await found({ partition: 5, table: orders.id })).deep.equal([one, two].sort());
    expect(await found({ states: ["dead", "applied"] })).deep.equal([two]);
    expect(await found({ states: [] })).deep.equal([]);
    expect(await found({ code: "TARGET_UNIQUE" })).deep.equal([one]);
    expect(await found({ ids: [one, three, "no such id", "123456789"] })).deep.equal([one, three].sort());
    expect(await found({ ids: [] })).deep.equal([]);
    expect(await found({ text: "a_1" })).deep.equal([one]);
    expect(await found({ text: "0%" })).deep.equal([three]);
    expect(await found({ text: "orders_EMAIL" })).deep.equal([one]);
    expect(await found({ text: "F_ITEMS" })).deep.equal([three]);
    expect(await found({ text: "target_unique" })).deep.equal([one]);
    expect(await found({ text: "'; drop" })).deep.equal([]);
    expect(await target.letters.schemas()).deep.include.members([
      { source: "filtered", table: orders.id, schema: orders.schema.fingerprint },
      { source: "filtered", table: items.id, schema: items.schema.fingerprint },
    ]);
    const keysOf = [items.schema.fingerprint];
    expect(await found({ text: "1", keysOf })).deep.equal([three]);
    expect(await found({ text: "1", keysOf: [] })).deep.equal([]);
    expect(await found({ text: "email", keysOf: [] })).deep.equal([one]);
    await lane.close();
  });

  it("groups letters by table and code", async () => {
    const target = await context.target();
    const lane = await openLane(target, "grouped");
    const table = describedTable(context, "grouped");
    for (const key of ["1", "2", "3"]) await putLetter(lane, table, table.key(key), { code: "TARGET_VALUE" });
    await putLetter(lane, table, table.key("4"), { code: "TARGET_CHECK" });
    const groups = await target.letters.groups({ source: "grouped" }, 10);
    expect(groups.map(({ table, code, count }) => [table, code, count])).deep.equal([
      [table.id, "TARGET_VALUE", 3],
      [table.id, "TARGET_CHECK", 1],
    ]);
    expect(groups[0]!.newestAt).least(groups[0]!.oldestAt);
    expect(await target.letters.groups({ source: "grouped" }, 1)).length(1);
    await lane.close();
  });

  it("replays live letters with fresh attempts, oldest position first, at most as many as asked", async () => {
    const target = await context.target();
    const lane = await openLane(target, "replayed");
    const table = describedTable(context, "replayed");
    const states = ["dead", "retrying", "waiting"] as const;
    const ids: string[] = [];
    for (const [n, state] of states.entries()) {
      ids.push(
        await putLetter(lane, table, table.key(String(n)), {
          state,
          attempts: 5,
          position: positionOf(n + 1, 1),
        }),
      );
    }
    const over = await putLetter(lane, table, table.key("over"));
    await lane.step((transaction) => transaction.resolveLetters([over], "applied"));
    expect(await target.letters.replay({ source: "replayed" }, "ada", 2)).have.members(ids.slice(0, 2));
    expect(await target.letters.get(ids[0]!)).deep.include({ state: "due", attempts: 0, resolvedBy: "ada" });
    expect(await target.letters.get(ids[2]!)).deep.include({ state: "waiting", attempts: 5 });
    expect(await target.letters.replay({ ids: [ids[2]!, over] }, "ada", 10)).deep.equal([ids[2]]);
    expect((await target.letters.get(over))?.state).equal("applied");
    await lane.step(async (transaction) => {
      expect(await transaction.dueLetters(10)).length(3);
    });
    await lane.close();
  });

  it("discards live letters only", async () => {
    const target = await context.target();
    const lane = await openLane(target, "discarded");
    const table = describedTable(context, "discarded");
    const id = await putLetter(lane, table, table.key("1"), { state: "dead" });
    await target.letters.discard(id, "ada", "not needed");
    expect(codeOf(await rejection(target.letters.discard(id, "ada", "again")))).equal("LETTER_STATE");
    expect(codeOf(await rejection(target.letters.discard("999999999", "ada", "")))).equal("LETTER_UNKNOWN");
    expect(codeOf(await rejection(target.letters.discard("no such id", "ada", "")))).equal("LETTER_UNKNOWN");
    expect(await target.letters.get("no such id")).equal(undefined);
    expect(await target.letters.get("999999999")).equal(undefined);
    await lane.close();
  });
}

function codeOf(error: unknown): string {
  return isLockstepError(error) ? error.code : String(error);
}
