import { Writable } from "node:stream";
import { expect } from "chai";
import { pino } from "pino";
import type { LetterView } from "../src/letters/letter-schema.js";
import { schemaOf } from "./letters/schema-of.js";
import { openRig, type StatusRig } from "./rig/status-rig.js";

const patients = schemaOf("public.patients", ["ssn", "clinic", "illness"], ["ssn", "clinic"]);
const unknown = schemaOf("public.unpublished", ["ssn"], ["ssn"]);
const rooms = schemaOf("public.rooms", ["number"], ["number"]);

/** What stands in masked columns, in every place that can hold one. */
const secrets = ["078-05-1120", "gout"];
const letters = [
  {
    table: "public.patients",
    schema: patients.fingerprint,
    key: JSON.stringify([secrets[0], "north"]),
    image: JSON.stringify([secrets[0], "north", secrets[1]]),
    before: JSON.stringify([secrets[0], "south"]),
    rawError: `Key (ssn)=(${secrets[0]}) already exists, ${secrets[1]}`,
  },
  {
    table: "public.unpublished",
    schema: unknown.fingerprint,
    key: JSON.stringify([secrets[0]]),
    image: JSON.stringify([secrets[0]]),
    rawError: secrets[0]!,
  },
  { table: "public.rooms", schema: rooms.fingerprint, key: '["078-room"]', image: '["078-room"]' },
];

describe("what stands in masked columns", () => {
  const lines: string[] = [];
  let rig: StatusRig;
  let ids: string[];
  before(async () => {
    const sink = new Writable({
      write: (chunk: Buffer, _, done) => (lines.push(chunk.toString()), done()),
    });
    rig = await openRig({
      maskColumns: ["ssn", "patients.illness"],
      logger: pino({ level: "trace" }, sink),
    });
    await rig.publishSchemas([patients, rooms]);
    ids = await rig.setAside("reporting", letters);
    const lastErrors = letters.map(({ table, key }) => ({ table, key, code: "TARGET_CHECK", at: 1 }));
    await rig.reportLane({ lastErrors });
    await rig.reportRelay();
  });
  after(() => rig.close());

  const letterPath = (id: string): string => `/api/v1/dead-letters/${encodeURIComponent(id)}`;
  const found = async (query: string): Promise<readonly string[]> => {
    const { body } = await rig.get(`/api/v1/dead-letters?${query}`);
    return (body["letters"] as LetterView[]).map(({ table }) => table);
  };

  it("can't be guessed by searching: only keys that are shown whole are searched", async () => {
    expect(await found("text=078")).to.deep.equal(["public.rooms"]);
    expect(await found("text=north")).to.deep.equal([]);
    expect(await found("text=patients")).to.deep.equal(["public.patients"]);
    expect(await found("text=patients&entity=patients&source=shop")).to.deep.equal(["public.patients"]);
    expect(await found("text=078&entity=unpublished")).to.deep.equal([]);
    const { body: groups } = await rig.get("/api/v1/dead-letters/groups?text=078-05");
    expect(groups["groups"]).to.deep.equal([]);
    const { body: replayed } = await rig.post("/api/v1/dead-letters/replay", { filter: { text: "078-05" } });
    expect(replayed["replayed"]).to.equal(0);
  });

  it("is in no answer and in no line of the log", async () => {
    const paths = [
      "/api/v1/status",
      "/api/v1/dead-letters",
      "/api/v1/dead-letters?limit=1",
      "/api/v1/dead-letters/groups",
      ...ids.map(letterPath),
      "/api/v1/jobs",
      "/api/v1/schedules",
      "/metrics",
      "/readyz",
      "/docs/json",
    ];
    const answers = await Promise.all(paths.map((path) => rig.get(path)));
    for (const id of ids) {
      answers.push(await rig.post(`${letterPath(id)}/replay`));
      answers.push(await rig.post(`${letterPath(id)}/discard`, { reason: "a test" }));
    }
    expect(answers.map(({ status }) => status))
      .to.include(200)
      .and.not.include(500);
    const said = [...answers.map(({ body }) => JSON.stringify(body)), ...lines].join("\n");
    expect(said).to.include("078-room");
    for (const secret of secrets) expect(said, secret).to.not.include(secret);
  });
});
