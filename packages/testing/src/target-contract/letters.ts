import { isLockstepError, type LetterState, positionOf, type Target } from "@lockstep/core";
import { expect } from "chai";
import type { ContractContext } from "./contract-context.js";
import { type ContractLane, letterWrite, openLane } from "./contract-lane.js";
import { contractTable, type ContractTable } from "./contract-table.js";
import { rejection } from "./rejection.js";

/** The life of letters, in a lane's transaction and at the desk. */
export function lettersContract(context: ContractContext): void {
  const described = (name: string): ContractTable =>
    contractTable(context.fixture, name, { id: "integer", note: "string" });

  const put = async (
    lane: ContractLane,
    table: ContractTable,
    key: string,
    rest: Parameters<typeof letterWrite>[2] = {},
  ): Promise<string> => {
    let id = "";
    await lane.step(async (transaction) => {
      id = await transaction.putLetter(letterWrite(table, key, rest));
    });
    return id;
  };

  const codeOf = (error: unknown): string => (isLockstepError(error) ? error.code : String(error));

  it("keeps everything of a letter, and shows it", async () => {
    const target = await context.target();
    const lane = await openLane(target, "whole", 3);
    const table = described("whole");
    const raw = "Key (note)=(⚑ \u0000 ' \\ ) already exists";
    const id = await put(lane, table, table.key("1"), {
      position: "18446744073709551615-7",
      ordinal: 7,
      image: '["1","x"]',
      before: '["0"]',
      about: "note_unique",
      code: "TARGET_UNIQUE",
      rawError: raw,
      attempts: 2,
      dueAt: 1_700_000_000_123,
    });
    const letter = (await target.letters.get(id))!;
    expect(letter).deep.include({
      id,
      source: "whole",
      partition: 3,
      table: table.id,
      key: '["1"]',
      op: "update",
      position: "18446744073709551615-7",
      ordinal: 7,
      schema: table.schema.fingerprint,
      state: "retrying",
      code: "TARGET_UNIQUE",
      about: "note_unique",
      attempts: 2,
      maxAttempts: 5,
      dueAt: 1_700_000_000_123,
      image: '["1","x"]',
      before: '["0"]',
    });
    expect(letter.rawError).contain("⚑").contain("' \\ ) already exists");
    expect(letter.history).length(1);
    expect(letter.history[0]).deep.include({ code: "TARGET_UNIQUE", about: "note_unique" });
    expect(letter.history[0]!.at).within(Date.now() - 60_000, Date.now() + 60_000);
    expect(letter.firstFailedAt).equal(letter.lastFailedAt);
    expect(letter).not.have.any.keys("resolvedAt", "resolvedBy", "reason", "waitingFor");
    await lane.close();
  });

  it("keeps one live letter per row: a newer failure replaces it and adds to its history, up to 20", async () => {
    const target = await context.target();
    const lane = await openLane(target, "replaced");
    const table = described("replaced");
    const ids = new Set<string>();
    for (let attempts = 1; attempts <= 22; attempts++) {
      ids.add(
        await put(lane, table, table.key("1"), {
          attempts,
          position: positionOf(attempts, 1),
          code: "TARGET_VALUE",
        }),
      );
    }
    expect(ids.size).equal(1);
    const other = await put(lane, table, table.key("2"));
    expect(ids.has(other)).equal(false);
    const [id] = ids;
    const letter = (await target.letters.get(id!))!;
    expect(letter).deep.include({ attempts: 22, position: "22-1", code: "TARGET_VALUE" });
    expect(letter.history).length(20);
    const times = letter.history.map(({ at }) => at);
    expect(times).deep.equal([...times].sort((a, b) => a - b));
    expect(letter.lastFailedAt).least(letter.firstFailedAt);
    await lane.close();
  });

  it("finds live letters of rows, however long their keys are", async () => {
    const lane = await openLane(await context.target(), "found");
    const table = described("found");
    const long = JSON.stringify(["k".repeat(20_000)]);
    const other = JSON.stringify([`${"k".repeat(19_999)}x`]);
    const first = await put(lane, table, long);
    const second = await put(lane, table, table.key("1"), { state: "dead" });
    await lane.step(async (transaction) => {
      const name = table.id;
      const found = await transaction.findLetters(
        [long, other, table.key("1"), table.key("2")].map((key) => ({ table: name, key })),
      );
      expect(found.map(({ id }) => id).sort()).deep.equal([first, second].sort());
      expect(await transaction.findLetters([{ table: "other.table", key: long }])).deep.equal([]);
      expect(await transaction.findLetters([])).deep.equal([]);
      await transaction.resolveLetters([first], "applied");
      expect(await transaction.findLetters([{ table: name, key: long }])).deep.equal([]);
    });
    await lane.close();
  });

  it("resolves live letters and no others", async () => {
    const target = await context.target();
    const lane = await openLane(target, "resolved");
    const table = described("resolved");
    const [applied, superseded, discarded] = [
      await put(lane, table, table.key("1")),
      await put(lane, table, table.key("2"), { state: "dead" }),
      await put(lane, table, table.key("3")),
    ];
    await target.letters.discard(discarded, "ada", "not needed");
    await lane.step(async (transaction) => {
      await transaction.resolveLetters([applied], "applied");
      await transaction.resolveLetters([superseded, discarded], "superseded");
      await transaction.resolveLetters([], "applied");
    });
    const states = await Promise.all([applied, superseded, discarded].map((id) => target.letters.get(id)));
    expect(states.map((letter) => letter?.state)).deep.equal(["applied", "superseded", "discarded"]);
    expect(states[0]?.resolvedAt).within(Date.now() - 60_000, Date.now() + 60_000);
    expect(states[2]).deep.include({ resolvedBy: "ada", reason: "not needed" });
    await lane.close();
  });

  it("makes a new letter for a row whose last one is over", async () => {
    const lane = await openLane(await context.target(), "again");
    const table = described("again");
    const first = await put(lane, table, table.key("1"));
    await lane.step((transaction) => transaction.resolveLetters([first], "applied"));
    expect(await put(lane, table, table.key("1"))).not.equal(first);
    await lane.close();
  });

  it("undoes letters with their step", async () => {
    const target = await context.target();
    const lane = await openLane(target, "undone");
    const table = described("undone");
    await rejection(
      lane.step(async (transaction) => {
        await transaction.putLetter(letterWrite(table, table.key("1")));
        throw new Error("scripted");
      }),
    );
    expect(await lane.session.letterCounts()).deep.equal(counts({}));
    await lane.close();
  });

  it("gives due letters in the order of the source, with their images", async () => {
    const target = await context.target();
    const lane = await openLane(target, "due");
    const elsewhere = await openLane(target, "due", 1);
    const table = described("due");
    const ids: string[] = [];
    for (const [key, position, ordinal] of [
      ["1", "10-1", 1],
      ["2", "9-10", 10],
      ["3", "9-9", 9],
      ["4", "9-9", 8],
    ] as const) {
      ids.push(await put(lane, table, table.key(key), { position, ordinal, image: `["${key}","x"]` }));
    }
    await put(elsewhere, table, table.key("9"));
    for (const id of ids) expect(await target.letters.markDue(id, 1)).equal(true);
    await lane.step(async (transaction) => {
      const due = await transaction.dueLetters(10);
      expect(due.map(({ key }) => key)).deep.equal(['["4"]', '["3"]', '["2"]', '["1"]']);
      expect(due[0]).deep.include({ image: '["4","x"]', state: "due", rawError: "refused" });
      expect((await transaction.dueLetters(2)).map(({ key }) => key)).deep.equal(['["4"]', '["3"]']);
    });
    await Promise.all([lane.close(), elsewhere.close()]);
  });

  it("gives the letters that wait for one, in the order of the source", async () => {
    const lane = await openLane(await context.target(), "waiting");
    const table = described("waiting");
    const blocker = await put(lane, table, table.key("1"));
    const wait = { state: "waiting" as const, waitingFor: blocker };
    await put(lane, table, table.key("2"), { ...wait, position: "8-1" });
    await put(lane, table, table.key("3"), { ...wait, position: "7-1" });
    await lane.step(async (transaction) => {
      const waiting = await transaction.waitingLetters(blocker, 10);
      expect(waiting.map(({ key }) => key)).deep.equal(['["3"]', '["2"]']);
      expect(waiting[0]).deep.include({ state: "waiting", waitingFor: blocker });
      expect(await transaction.waitingLetters(blocker, 1)).length(1);
    });
    await lane.close();
  });

  it("lets go of the letters that wait for one that is discarded", async () => {
    const target = await context.target();
    const lane = await openLane(target, "let-go");
    const table = described("let_go");
    const blocker = await put(lane, table, table.key("1"));
    const waiting = await put(lane, table, table.key("2"), { state: "waiting", waitingFor: blocker });
    await target.letters.discard(blocker, "ada", "wrong");
    expect((await target.letters.get(waiting))?.state).equal("due");
    await lane.close();
  });

  it("marks a retrying letter due only at the attempt it was scheduled for", async () => {
    const target = await context.target();
    const lane = await openLane(target, "mark");
    const table = described("mark");
    const id = await put(lane, table, table.key("1"), { attempts: 3 });
    expect(await target.letters.markDue(id, 2)).equal(false);
    expect(await target.letters.markDue(id, 3)).equal(true);
    expect(await target.letters.markDue(id, 3)).equal(false);
    expect(await target.letters.markDue("999999999", 3)).equal(false);
    expect(await target.letters.markDue("no such id", 3)).equal(false);
    const dead = await put(lane, table, table.key("2"), { state: "dead", attempts: 5 });
    expect(await target.letters.markDue(dead, 5)).equal(false);
    await lane.close();
  });

  it("names letters that are overdue, the longest overdue first", async () => {
    const target = await context.target();
    const lane = await openLane(target, "overdue");
    const table = described("overdue");
    const late = await put(lane, table, table.key("1"), { dueAt: 5_000, attempts: 2 });
    const later = await put(lane, table, table.key("2"), { dueAt: 4_000 });
    await put(lane, table, table.key("3"), { dueAt: 5_001 });
    await put(lane, table, table.key("4"), { state: "dead", dueAt: 1 });
    expect(await lane.session.overdueLetters(5_000, 10)).deep.equal([
      { id: later, attempts: 1, dueAt: 4_000 },
      { id: late, attempts: 2, dueAt: 5_000 },
    ]);
    expect(await lane.session.overdueLetters(5_000, 1)).length(1);
    await lane.close();
  });

  it("counts letters by state: live ones for a lane, all of them at the desk", async () => {
    const target = await context.target();
    const lane = await openLane(target, "counted");
    const table = described("counted");
    const before = await target.letters.counts();
    await put(lane, table, table.key("1"));
    await put(lane, table, table.key("2"), { state: "dead" });
    await put(lane, table, table.key("3"), { state: "dead" });
    await target.letters.discard(await put(lane, table, table.key("4")), "ada", "why not");
    expect(await lane.session.letterCounts()).deep.equal(counts({ retrying: 1, dead: 2 }));
    const after = await target.letters.counts();
    expect(after.dead - before.dead).equal(2);
    expect(after.discarded - before.discarded).equal(1);
    await lane.close();
  });

  it("lists letters in pages, the newest failure first, each exactly once", async () => {
    const target = await context.target();
    const lane = await openLane(target, "listed");
    const table = described("listed");
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
    const [orders, items] = [described("f_orders"), described("f_items")];
    const one = await put(lane, orders, orders.key("A_1"), { code: "TARGET_UNIQUE", about: "Orders_Email" });
    const two = await put(lane, orders, orders.key("Ax1"), { state: "dead" });
    const three = await put(lane, items, items.key("100%"));
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
    await lane.close();
  });

  it("groups letters by table and code", async () => {
    const target = await context.target();
    const lane = await openLane(target, "grouped");
    const table = described("grouped");
    for (const key of ["1", "2", "3"]) await put(lane, table, table.key(key), { code: "TARGET_VALUE" });
    await put(lane, table, table.key("4"), { code: "TARGET_CHECK" });
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
    const table = described("replayed");
    const states = ["dead", "retrying", "waiting"] as const;
    const ids: string[] = [];
    for (const [n, state] of states.entries()) {
      ids.push(
        await put(lane, table, table.key(String(n)), { state, attempts: 5, position: positionOf(n + 1, 1) }),
      );
    }
    const over = await put(lane, table, table.key("over"));
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
    const table = described("discarded");
    const id = await put(lane, table, table.key("1"), { state: "dead" });
    await target.letters.discard(id, "ada", "not needed");
    expect(codeOf(await rejection(target.letters.discard(id, "ada", "again")))).equal("LETTER_STATE");
    expect(codeOf(await rejection(target.letters.discard("999999999", "ada", "")))).equal("LETTER_UNKNOWN");
    expect(codeOf(await rejection(target.letters.discard("no such id", "ada", "")))).equal("LETTER_UNKNOWN");
    expect(await target.letters.get("no such id")).equal(undefined);
    expect(await target.letters.get("999999999")).equal(undefined);
    await lane.close();
  });
}

function counts(some: Partial<Record<LetterState, number>>): Readonly<Record<LetterState, number>> {
  return { retrying: 0, due: 0, waiting: 0, dead: 0, applied: 0, superseded: 0, discarded: 0, ...some };
}
