import { expect } from "chai";
import { openRig, type StatusRig } from "../rig/status-rig.js";

const path = "/api/v1/dead-letters/replay";
const keys = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ key: JSON.stringify([String(i)]) }));

async function openWithLetters() {
  const rig = await openRig({ targets: ["reporting", "warehouse"], limits: { replayLimit: 4 } });
  const ids = await rig.setAside("reporting", [
    ...keys(2),
    { key: '["a"]', code: "TARGET_UNIQUE" },
    { table: "public.orders", key: '["b"]', state: "waiting", code: "TARGET_FOREIGN_KEY" },
  ]);
  return { rig, ids: [...ids, ...(await rig.setAside("warehouse", keys(6)))] };
}

async function dueIn(rig: StatusRig): Promise<string[]> {
  const { body } = await rig.get("/api/v1/dead-letters?state=due&limit=200");
  return (body as unknown as { letters: { id: string }[] }).letters.map((letter) => letter.id);
}

describe("POST /api/v1/dead-letters/replay, refused", () => {
  let rig: StatusRig;
  let ids: string[];
  before(async () => {
    ({ rig, ids } = await openWithLetters());
  });
  after(() => rig.close());
  const due = () => dueIn(rig);

  for (const body of [
    {},
    { filter: {} },
    { ids: [] },
    { filter: {}, ids: [] },
    { all: false },
    { filter: {}, all: false },
  ]) {
    it(`refuses ${JSON.stringify(body)}: nothing says which`, async () => {
      const reply = await rig.post(path, body);
      expect(reply.status).to.equal(400);
      expect(reply.body).to.include({ code: "FILTER_EMPTY" });
      expect(await due()).to.deep.equal([]);
    });
  }

  const invalid = [
    undefined,
    [],
    "all",
    { all: "true" },
    { filter: { code: "X" }, all: true },
    { filter: { colour: "red" } },
    { filter: { state: ["discarded"] } },
    { filter: { target: "nobody" } },
    { ids: [7] },
    { everything: true },
  ];
  for (const body of invalid) {
    it(`refuses ${JSON.stringify(body)}: it makes no sense`, async () => {
      const reply = await rig.post(path, body);
      expect(reply.status).to.equal(400);
      expect(reply.body).to.include({ code: "REQUEST_INVALID" });
      expect(await due()).to.deep.equal([]);
    });
  }

  it("refuses an id of no target before it marks anything", async () => {
    const reply = await rig.post(path, { ids: [ids[0], "nobody~1"] });
    expect([reply.status, reply.body["code"]]).to.deep.equal([404, "LETTER_UNKNOWN"]);
    expect(await due()).to.deep.equal([]);
  });
});

describe("POST /api/v1/dead-letters/replay", () => {
  let rig: StatusRig;
  let ids: string[];
  beforeEach(async () => {
    ({ rig, ids } = await openWithLetters());
  });
  afterEach(() => rig.close());
  const due = () => dueIn(rig);

  it("marks what a filter finds, in one target", async () => {
    const reply = await rig.post(
      path,
      { filter: { target: "reporting", code: "TARGET_CHECK" } },
      { "x-lockstep-user": "ada" },
    );
    expect(reply.status).to.equal(202);
    expect(reply.body).to.deep.equal({
      replayed: 2,
      more: false,
      targets: { reporting: 2 },
      by: "ada",
      nudged: true,
      unreachable: [],
    });
    expect(await due()).to.have.members(ids.slice(0, 2));
  });

  it("marks by state and by table, too", async () => {
    await rig.post(path, { filter: { state: ["waiting"], entity: "orders" } });
    expect(await due()).to.deep.equal([ids[3]]);
  });

  it("marks by ids over several targets; one that is none is passed over", async () => {
    const reply = await rig.post(path, { ids: [ids[0], ids[0], ids[4], "warehouse~999999"] });
    expect(reply.body).to.deep.include({ replayed: 2, targets: { reporting: 1, warehouse: 1 } });
    expect(await due()).to.have.members([ids[0], ids[4]]);
  });

  it("marks everything when that is said, a bounded number at a time", async () => {
    const first = await rig.post(path, { all: true });
    expect(first.body).to.deep.include({ replayed: 8, more: true, targets: { reporting: 4, warehouse: 4 } });
    const second = await rig.post(path, { all: true });
    expect(second.body).to.deep.include({ replayed: 2, more: false });
    expect(await due()).to.have.members(ids);
  });
});
