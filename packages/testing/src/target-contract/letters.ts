import { positionOf } from "@lockstep/core";
import { expect } from "chai";
import type { ContractContext } from "./contract-context.js";
import { type ContractLane, letterWrite, openLane } from "./contract-lane.js";
import { describedTable, putLetter, stateCounts } from "./put-letter.js";
import { rejection } from "./rejection.js";

/** Letters as the lane keeps them, in its transaction. */
export function lettersContract(context: ContractContext): void {
  it("keeps everything of a letter, and shows it", async () => {
    const target = await context.target();
    const lane = await openLane(target, "whole", 3);
    const table = describedTable(context, "whole");
    const raw = "Key (note)=(⚑ \u0000 ' \\ ) already exists";
    const id = await putLetter(lane, table, table.key("1"), {
      position: "18446744073709551615-7",
      ordinal: 7,
      image: '["1","x"]',
      before: '["0"]',
      version: '{"stamp":7,"node":"a","seen":{"a":7}}',
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
      version: '{"stamp":7,"node":"a","seen":{"a":7}}',
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
    const table = describedTable(context, "replaced");
    const ids = new Set<string>();
    for (let attempts = 1; attempts <= 22; attempts++) {
      ids.add(
        await putLetter(lane, table, table.key("1"), {
          attempts,
          position: positionOf(attempts, 1),
          code: "TARGET_VALUE",
        }),
      );
    }
    expect(ids.size).equal(1);
    const other = await putLetter(lane, table, table.key("2"));
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
    const table = describedTable(context, "found");
    const long = JSON.stringify(["k".repeat(20_000)]);
    const other = JSON.stringify([`${"k".repeat(19_999)}x`]);
    const first = await putLetter(lane, table, long);
    const second = await putLetter(lane, table, table.key("1"), { state: "dead" });
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

  it("reads letters in a step, however many wait for what it has locked", async () => {
    const target = await context.target();
    const lane = await openLane(target, "crowded");
    const table = describedTable(context, "crowded");
    const row = { table: table.id, key: table.key("1") };
    const id = await putLetter(lane, table, row.key, { attempts: 1, dueAt: 1 });
    let marking: Promise<boolean>[] = [];
    await lane.step(async (transaction) => {
      expect(await transaction.findLetters([row])).length(1);
      marking = Array.from({ length: 20 }, () => target.letters.markDue(id, 1));
      expect(await transaction.letters.get(id)).deep.include({ id, key: row.key });
      const found = await transaction.letters.list({ source: "crowded", table: table.id }, { limit: 5 });
      expect(found.letters.map((letter) => letter.id)).deep.equal([id]);
    });
    expect((await Promise.all(marking)).filter(Boolean)).deep.equal([true]);
    await lane.close();
  });

  it("resolves live letters and no others", async () => {
    const target = await context.target();
    const lane = await openLane(target, "resolved");
    const table = describedTable(context, "resolved");
    const [applied, superseded, discarded] = [
      await putLetter(lane, table, table.key("1")),
      await putLetter(lane, table, table.key("2"), { state: "dead" }),
      await putLetter(lane, table, table.key("3")),
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
    const table = describedTable(context, "again");
    const first = await putLetter(lane, table, table.key("1"));
    await lane.step((transaction) => transaction.resolveLetters([first], "applied"));
    expect(await putLetter(lane, table, table.key("1"))).not.equal(first);
    await lane.close();
  });

  it("undoes letters with their step", async () => {
    const target = await context.target();
    const lane = await openLane(target, "undone");
    const table = describedTable(context, "undone");
    await rejection(
      lane.step(async (transaction) => {
        await transaction.putLetter(letterWrite(table, table.key("1")));
        throw new Error("scripted");
      }),
    );
    expect(await lane.session.letterCounts()).deep.equal(stateCounts({}));
    await lane.close();
  });

  it("gives due letters in the order of the source, with their images", async () => {
    const target = await context.target();
    const lane = await openLane(target, "due");
    const elsewhere = await openLane(target, "due", 1);
    const table = describedTable(context, "due");
    const ids: string[] = [];
    for (const [key, position, ordinal] of [
      ["1", "10-1", 1],
      ["2", "9-10", 10],
      ["3", "9-9", 9],
      ["4", "9-9", 8],
    ] as const) {
      ids.push(await putLetter(lane, table, table.key(key), { position, ordinal, image: `["${key}","x"]` }));
    }
    await putLetter(elsewhere, table, table.key("9"));
    for (const id of ids) expect(await target.letters.markDue(id, 1)).equal(true);
    await lane.step(async (transaction) => {
      const due = await transaction.dueLetters(10);
      expect(due.map(({ key }) => key)).deep.equal(['["4"]', '["3"]', '["2"]', '["1"]']);
      expect(due[0]).deep.include({ image: '["4","x"]', state: "due", rawError: "refused" });
      expect((await transaction.dueLetters(2)).map(({ key }) => key)).deep.equal(['["4"]', '["3"]']);
    });
    await Promise.all([lane.close(), elsewhere.close()]);
  });

  it("gives few letters at a time when they are large", async () => {
    const target = await context.target();
    const lane = await openLane(target, "wide");
    const table = describedTable(context, "wide");
    const image = `["1","${"x".repeat(3_000_000)}"]`;
    const blocker = await putLetter(lane, table, table.key("0"));
    for (const n of [1, 2, 3] as const) {
      const due = await putLetter(lane, table, table.key(`${n}`), { position: `9-${n}` as const, image });
      await target.letters.markDue(due, 1);
      const wait = { state: "waiting" as const, waitingFor: blocker };
      await putLetter(lane, table, table.key(`${n + 3}`), { ...wait, position: `9-${n}` as const, image });
    }
    await lane.step(async (transaction) => {
      const due = await transaction.dueLetters(10);
      expect(due.map(({ key }) => key)).deep.equal(['["1"]', '["2"]']);
      expect(due[0]!.image).equal(image);
      const waiting = await transaction.waitingLetters(blocker, 10);
      expect(waiting.map(({ key }) => key)).deep.equal(['["4"]', '["5"]']);
    });
    await lane.close();
  });

  it("gives the letters that wait for one, in the order of the source", async () => {
    const lane = await openLane(await context.target(), "waiting");
    const table = describedTable(context, "waiting");
    const blocker = await putLetter(lane, table, table.key("1"));
    const wait = { state: "waiting" as const, waitingFor: blocker };
    await putLetter(lane, table, table.key("2"), { ...wait, position: "8-1" });
    await putLetter(lane, table, table.key("3"), { ...wait, position: "7-1" });
    await lane.step(async (transaction) => {
      const waiting = await transaction.waitingLetters(blocker, 10);
      expect(waiting.map(({ key }) => key)).deep.equal(['["3"]', '["2"]']);
      expect(waiting[0]).deep.include({ state: "waiting", waitingFor: blocker });
      expect(await transaction.waitingLetters(blocker, 1)).length(1);
    });
    await lane.close();
  });

  it("names letters that are overdue, the longest overdue first", async () => {
    const target = await context.target();
    const lane = await openLane(target, "overdue");
    const table = describedTable(context, "overdue");
    const late = await putLetter(lane, table, table.key("1"), { dueAt: 5_000, attempts: 2 });
    const later = await putLetter(lane, table, table.key("2"), { dueAt: 4_000 });
    await putLetter(lane, table, table.key("3"), { dueAt: 5_001 });
    await putLetter(lane, table, table.key("4"), { state: "dead", dueAt: 1 });
    expect(await lane.session.overdueLetters(5_000, 10)).deep.equal([
      { id: later, attempts: 1, dueAt: 4_000 },
      { id: late, attempts: 2, dueAt: 5_000 },
    ]);
    expect(await lane.session.overdueLetters(5_000, 1)).length(1);
    await lane.close();
  });

  it("forgets letters of the lane that have been over for long, the oldest first, and never a live one", async () => {
    const target = await context.target();
    const lane = await openLane(target, "pruned");
    const other = await openLane(target, "pruned", 1);
    const table = describedTable(context, "pruned");
    const make = (one: ContractLane, key: string) => putLetter(one, table, table.key(key), { state: "dead" });
    const applied = await make(lane, "1");
    await lane.step((transaction) => transaction.resolveLetters([applied], "applied"));
    const discarded = await make(lane, "2");
    await target.letters.discard(discarded, "ada", "old");
    const superseded = await make(lane, "3");
    await lane.step((transaction) => transaction.resolveLetters([superseded], "superseded"));
    const kept = [
      await make(lane, "4"),
      await putLetter(lane, table, table.key("5")),
      await make(other, "6"),
    ];
    await other.step((transaction) => transaction.resolveLetters([kept[2]!], "applied"));
    const left = async (): Promise<readonly string[]> => {
      const { letters } = await target.letters.list({ source: "pruned" }, { limit: 50 });
      return letters.map(({ id }) => id).sort();
    };
    expect(await lane.session.pruneLetters(Date.now() - 3_600_000, 10)).equal(0);
    const soon = Date.now() + 3_600_000;
    expect(await lane.session.pruneLetters(soon, 2)).equal(2);
    const rest = await left();
    expect(rest).length(4);
    expect(rest).not.include(applied);
    expect(await lane.session.pruneLetters(soon, 10)).equal(1);
    expect(await left()).deep.equal([...kept].sort());
    await lane.close();
    await other.close();
  });
}
