import { expect } from "chai";
import type { LetterDetailView } from "../../src/letters/letter-schema.js";
import { customers, openRig, type StatusRig } from "../rig/status-rig.js";

const at = (id: string, verb = "") => `/api/v1/dead-letters/${encodeURIComponent(id)}${verb}`;

describe("one dead letter", () => {
  let rig: StatusRig;
  let row = 0;
  let dead: string;
  before(async () => {
    rig = await openRig();
  });
  beforeEach(async () => {
    const id = String(++row);
    const image = JSON.stringify([id, "ada@example.com", "secret note"]);
    [dead] = (await rig.setAside("reporting", [{ key: JSON.stringify([id]), image }])) as [string];
  });
  after(() => rig.close());

  const detail = async (id = dead) => (await rig.get(at(id))).body as unknown as LetterDetailView;

  it("shows its row by column once the schema is known, its error and its attempts", async () => {
    expect((await detail()).image).to.deep.equal([String(row), "ada@example.com", "secret note"]);
    await rig.publishSchemas([customers]);
    const letter = await detail();
    expect(letter.image).to.deep.equal({ id: String(row), email: "ada@example.com", note: "secret note" });
    expect(letter.rawError).to.include("check constraint");
    expect(letter).to.include({ id: dead, state: "dead", code: "TARGET_CHECK", about: "no_poison" });
    expect(letter.history).to.have.length(1);
    expect(letter.history[0]).to.include({ code: "TARGET_CHECK", about: "no_poison" });
  });

  it("shows every attempt of a row that kept failing", async () => {
    await rig.setAside("reporting", [
      { key: JSON.stringify([String(row)]), code: "TARGET_UNIQUE", about: "email" },
    ]);
    expect((await detail()).history.map((attempt) => attempt.code)).to.deep.equal([
      "TARGET_CHECK",
      "TARGET_UNIQUE",
    ]);
  });

  for (const id of [
    "reporting~999999",
    "reporting~not-an-id",
    "nobody~1",
    "nonsense",
    "reporting~0' OR 1=1 --",
  ]) {
    it(`is 404 when there is none: ${id}`, async () => {
      const { status, body } = await rig.get(at(id));
      expect(status).to.equal(404);
      expect(body).to.include({ code: "LETTER_UNKNOWN", status: 404 });
    });
  }

  it("is replayed: due with fresh attempts, by whoever says so", async () => {
    const { status, body } = await rig.post(at(dead, "/replay"), undefined, { "x-lockstep-user": "ada" });
    expect(status).to.equal(202);
    expect(body).to.deep.equal({ id: dead, by: "ada", nudged: true });
    expect(await detail()).to.include({ state: "due", attempts: 0 });
  });

  it("is discarded with a reason, which is kept with who did it", async () => {
    const { status } = await rig.post(
      at(dead, "/discard"),
      { reason: " a test row " },
      { "x-lockstep-user": "ada" },
    );
    expect(status).to.equal(200);
    expect(await detail()).to.include({ state: "discarded", reason: "a test row", resolvedBy: "ada" });
  });

  for (const body of [
    undefined,
    {},
    { reason: "" },
    { reason: "  " },
    { reason: "x".repeat(501) },
    { reason: 7 },
    { reason: "x", force: true },
  ]) {
    it(`is not discarded with ${JSON.stringify(body)?.slice(0, 40)}`, async () => {
      const reply = await rig.post(at(dead, "/discard"), body);
      expect(reply.status).to.equal(400);
      expect(reply.body).to.include({ code: "REQUEST_INVALID" });
      expect(reply.body["detail"]).to.match(/^body/);
      expect(await detail()).to.include({ state: "dead" });
    });
  }

  it("isn't decided twice", async () => {
    await rig.post(at(dead, "/discard"), { reason: "a test row" });
    for (const [verb, body] of [
      ["/discard", { reason: "again" }],
      ["/replay", undefined],
    ] as const) {
      const reply = await rig.post(at(dead, verb), body);
      expect([reply.status, reply.body["code"]], verb).to.deep.equal([409, "LETTER_STATE"]);
    }
    expect(await detail()).to.include({ reason: "a test row" });
  });

  it("is 404 for decisions about none", async () => {
    expect((await rig.post(at("reporting~999999", "/replay"))).status).to.equal(404);
    expect((await rig.post(at("reporting~999999", "/discard"), { reason: "x" })).status).to.equal(404);
  });
});

describe("masked columns", () => {
  it("are hidden in lists, in the letter and in the driver's words", async () => {
    const rig = await openRig({ maskColumns: ["customers.email", "customers.id"] });
    try {
      const [id] = (await rig.setAside("reporting", [{}])) as [string];
      const unnamed = await rig.get(at(id));
      expect(JSON.stringify(unnamed.body)).to.not.match(/ada@example|secret note/);
      await rig.publishSchemas([customers]);
      const letter = (await rig.get(at(id))).body as unknown as LetterDetailView;
      expect(letter.image).to.deep.equal({ id: "***", email: "***", note: "secret note" });
      expect(letter.masked).to.deep.equal(["id", "email"]);
      expect(letter.rawError).to.equal(null);
      const { body } = await rig.get("/api/v1/dead-letters");
      expect((body as unknown as { letters: { key: string }[] }).letters[0]!.key).to.equal('["***"]');
    } finally {
      await rig.close();
    }
  });
});
