import type { DeadLetterDetail } from "@lockstep/core";
import { expect } from "chai";
import { letterDetailView, letterView } from "../../src/letters/letter-view.js";
import { maskOf } from "@lockstep/core";
import { schemaOf } from "./schema-of.js";

const schema = schemaOf("public.customers", ["id", "email", "note"], ["id"]);
const letter: DeadLetterDetail = {
  id: "12",
  source: "shop",
  partition: 0,
  table: "public.customers",
  key: '["7"]',
  op: "update",
  position: "3-4",
  ordinal: 4,
  schema: schema.fingerprint,
  state: "waiting",
  code: "TARGET_FOREIGN_KEY",
  about: "customers_club_fkey",
  attempts: 2,
  maxAttempts: 5,
  firstFailedAt: 1_767_225_600_000,
  lastFailedAt: 1_767_225_601_500,
  waitingFor: "11",
  image: '["7","ada@example.com",0]',
  rawError: "Key (email)=(ada@example.com) is not present",
  history: [{ at: 1_767_225_600_000, code: "TARGET_FOREIGN_KEY" }],
};
const open = maskOf([]);

describe("a letter's view", () => {
  it("names target, lane and times so that a page needs nothing else", () => {
    expect(letterView(letter, { target: "reporting", mask: open, schema })).to.include({
      id: "reporting~12",
      lane: "shop~reporting~0",
      waitingFor: "reporting~11",
      lastFailedAt: "2026-01-01T00:00:01.500Z",
      key: '["7"]',
      dueAt: null,
    });
  });

  it("holds no row value in a list", () => {
    const text = JSON.stringify(letterView(letter, { target: "reporting", mask: open, schema }));
    expect(text).to.not.include("ada@example.com");
  });

  it("shows the image by column, and which columns aren't known", () => {
    const view = letterDetailView(letter, { target: "reporting", mask: open, schema });
    expect(view.image).to.deep.equal({ id: "7", email: "ada@example.com" });
    expect(view.unknown).to.deep.equal(["note"]);
    expect(view.rawError).to.equal(letter.rawError);
  });

  it("shows nothing of what the target's mapping keeps sealed, also in the key and in what the code said", () => {
    const sealed = `sealed:1:${Buffer.alloc(30).toString("base64")}`;
    const view = letterDetailView(
      {
        ...letter,
        key: JSON.stringify([sealed]),
        image: JSON.stringify([sealed, sealed, "a note"]),
        rawError: sealed,
      },
      { target: "reporting", mask: open, schema },
    );
    expect(view).to.deep.include({ key: '["***"]', masked: ["id", "email"], rawError: null });
    expect(view.image).to.deep.equal({ id: "***", email: "***", note: "a note" });
    expect(JSON.stringify(view)).to.not.include("sealed:");
  });

  it("shows the cells in order while the schema isn't known", () => {
    const view = letterDetailView(letter, { target: "reporting", mask: open, schema: undefined });
    expect(view.image).to.deep.equal(["7", "ada@example.com", null]);
    expect(view.unknown).to.deep.equal(["2"]);
  });

  it("doesn't name cells by a schema of another shape", () => {
    const other = schemaOf("public.customers", ["id", "email"], ["id"]);
    expect(letterDetailView(letter, { target: "reporting", mask: open, schema: other }).image).to.be.an(
      "array",
    );
  });

  it("hides masked columns wherever they might be", () => {
    const mask = maskOf(["email"]);
    const named = letterDetailView(letter, { target: "reporting", mask, schema });
    expect(named.image).to.deep.equal({ id: "7", email: "***" });
    expect(named.masked).to.deep.equal(["email"]);
    const nameless = letterDetailView(letter, { target: "reporting", mask, schema: undefined });
    expect(JSON.stringify([named, nameless])).to.not.include("ada@example.com");
    expect(nameless.masked).to.deep.equal(["*"]);
  });

  it("has no image for a delete", () => {
    const { image: _, ...gone } = letter;
    expect(letterDetailView(gone, { target: "reporting", mask: open, schema }).image).to.equal(null);
  });
});
