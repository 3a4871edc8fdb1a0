import { parseConfig } from "@lockstep/config";
import { openJobDesk } from "@lockstep/jobs";
import { postgresOutboxWriter } from "@lockstep/outbox";
import { type FreshDatabase, freshPostgres, freshRedis } from "@lockstep/testing";
import { expect } from "chai";
import pg from "pg";
import { createStatusServer, type StatusServer } from "../../src/index.js";

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

describe("/jobs and /schedules", () => {
  let source: FreshDatabase;
  let redis: FreshDatabase;
  let server: StatusServer;
  let closeDesks = async (): Promise<void> => undefined;

  before(async () => {
    [source, redis] = await Promise.all([freshPostgres(), freshRedis()]);
    const client = new pg.Client({ connectionString: source.url });
    await client.connect();
    const run = async (sql: string, parameters?: readonly unknown[]) =>
      (await client.query<Record<string, unknown>>(sql, parameters as unknown[])).rows ?? [];
    const writer = postgresOutboxWriter();
    await writer.ensure(run);
    await run("create table items (id int primary key)");
    await writer.describe(run, [{ namespace: "public", name: "items" }]);
    await client.end();
    const config = parseConfig({
      redis: redis.url,
      sources: { shop: { url: source.url }, gone: { url: "postgres://127.0.0.1:1/gone" }, far: {} },
      targets: { copy: { type: "postgres", url: source.url } },
      schedules: {
        nightly: { kind: "repair", source: "shop", cron: "0 2 * * *", timeZone: "Europe/Berlin" },
      },
    });
    const desks = ["shop", "gone"].map((name) => [name, openJobDesk(config, name)] as const);
    closeDesks = async () => void (await Promise.all(desks.map(([, desk]) => desk.close())));
    const silent = {
      relay: async () => undefined,
      lanes: async () => [],
      targets: async () => [],
      reads: async () => [],
    };
    const quiet = { nudge: async () => undefined };
    server = await createStatusServer({
      port: 0,
      token: "0123456789abcdef",
      sources: ["shop", "gone", "far"].map((name) => {
        const desk = desks.find(([one]) => one === name)?.[1];
        return {
          name,
          reader: silent,
          schedule: quiet,
          targets: [],
          ...(desk && { jobs: async () => desk }),
        };
      }),
    });
  });
  after(async () => {
    await server?.[Symbol.asyncDispose]();
    await closeDesks();
    await Promise.all([source.drop(), redis.drop()]);
  });

  const ask = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const response = await fetch(`${server.url}/api/v1${path}`, {
      method,
      headers: {
        authorization: "Bearer 0123456789abcdef",
        "x-lockstep-user": "ada",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Answer["body"] };
  };
  const jobs = ({ body }: Answer) => body["jobs"] as Answer["body"][];

  it("ask for a job, show it, decide about it, and record who did", async () => {
    const asked = await ask("POST", "/jobs", {
      kind: "verify",
      source: "shop",
      entities: ["items"],
      rate: 500,
    });
    expect(asked.status, JSON.stringify(asked.body)).to.equal(202);
    expect(asked.body).to.include({ kind: "verify", state: "running", by: "ada", called: true, rows: 0 });
    const path = `/jobs/${asked.body["id"] as string}`;
    expect((await ask("GET", path)).body).to.deep.include({
      options: { entities: ["items"], rate: 500 },
      reports: [],
      differentRows: 0,
      // No consumer is there.
      owner: null,
      rowsPerSecond: null,
    });
    const again = await ask("POST", "/jobs", { kind: "verify", source: "shop" });
    expect([again.status, again.body["code"]]).to.deep.equal([409, "JOB_LIVE"]);
    expect((await ask("POST", `${path}/pause`)).body).to.include({ state: "paused" });
    expect((await ask("POST", `${path}/pause`)).status).to.equal(409);
    expect((await ask("POST", `${path}/resume`)).body).to.include({ state: "running", called: true });
    expect((await ask("POST", `${path}/cancel`)).body).to.include({ state: "cancelled" });
    expect((await ask("POST", `${path}/resume`)).body).to.include({ code: "JOB_STATE" });
  });

  it("refuse what can't be asked, with a problem that says what is wrong", async () => {
    for (const [status, code, detail, body] of [
      [400, "REQUEST_INVALID", "body.source must name one of the sources", { kind: "verify" }],
      [400, "REQUEST_INVALID", "must be one of full, incremental", { kind: "backup", source: "shop" }],
      [400, "REQUEST_INVALID", "body.rate", { kind: "verify", source: "shop", rate: -1 }],
      [400, "REQUEST_INVALID", "keepExtra", { kind: "verify", source: "shop", keepExtra: true }],
      [400, "REQUEST_INVALID", "no source of that name", { kind: "verify", source: "shopp" }],
      [400, "REQUEST_INVALID", "sources.far.url", { kind: "verify", source: "far" }],
      [400, "CONFIG_INVALID", "no target", { kind: "verify", source: "shop", targets: ["nobody"] }],
      [400, "ENTITY_UNKNOWN", "public.items", { kind: "repair", source: "shop", entities: ["nothing"] }],
      [409, "TARGET_NOT_FOLLOWING", "registered", { kind: "full", source: "shop" }],
      [503, "SOURCE_UNAVAILABLE", "", { kind: "verify", source: "gone" }],
    ] as const) {
      const answer = await ask("POST", "/jobs", body);
      expect([answer.status, answer.body["code"]], JSON.stringify(answer.body)).to.deep.equal([status, code]);
      expect(answer.body["detail"], JSON.stringify(body)).to.include(detail);
    }
    expect((await ask("GET", "/jobs/shop~99")).body).to.include({ status: 404, code: "JOB_UNKNOWN" });
    expect((await ask("GET", "/jobs/shop")).body).to.include({ status: 404, code: "JOB_UNKNOWN" });
    expect((await ask("POST", "/schedules/weekly/run")).body).to.include({
      status: 404,
      code: "SCHEDULE_UNKNOWN",
    });
    const response = await fetch(`${server.url}/api/v1/jobs`);
    expect(response.status).to.equal(401);
  });

  it("list in pages, filtered, and say which source is missing", async () => {
    for (let n = 0; n < 3; n++) {
      const { body } = await ask("POST", "/schedules/nightly/run");
      expect(body).to.include({ kind: "repair", schedule: "nightly", by: "ada", dueAt: null });
      await ask("POST", `/jobs/${body["id"] as string}/cancel`);
    }
    const seen: string[] = [];
    for (let cursor = ""; ;) {
      const page = await ask("GET", `/jobs?source=shop&limit=2${cursor}`);
      expect(page.status, JSON.stringify(page.body)).to.equal(200);
      expect(jobs(page)).to.have.length.within(1, 2);
      seen.push(...jobs(page).map((job) => job["id"] as string));
      if (page.body["next"] === null) break;
      cursor = `&cursor=${page.body["next"] as string}`;
    }
    expect(seen).to.have.length(4);
    expect(seen.map((id) => Number(id.split("~")[1]))).to.deep.equal(
      seen.map((id) => Number(id.split("~")[1])).toSorted((a, b) => b - a),
    );
    const all = await ask("GET", "/jobs?schedule=nightly&state=cancelled,done");
    expect(jobs(all)).to.have.length(3);
    expect(all.body["unreachable"]).to.have.length(1);
    expect(all.body["next"]).to.equal(null);
    expect((all.body["unreachable"] as object[])[0]).to.include({ source: "gone" });
    expect(jobs(await ask("GET", "/jobs?source=shop&state=failed"))).to.deep.equal([]);
  });

  it("show schedules, and pause them", async () => {
    const [nightly] = (await ask("GET", "/schedules")).body["schedules"] as Answer["body"][];
    expect(nightly).to.deep.include({
      name: "nightly",
      source: "shop",
      kind: "repair",
      cron: "0 2 * * *",
      timeZone: "Europe/Berlin",
      window: null,
      pausedBy: null,
      missed: 0,
    });
    expect(new Date(nightly!["nextAt"] as string).getTime()).to.be.greaterThan(Date.now());
    expect(nightly!["last"]).to.include({ state: "cancelled" });
    expect((await ask("POST", "/schedules/nightly/pause")).body).to.include({
      pausedBy: "ada",
      nextAt: null,
    });
    expect((await ask("POST", "/schedules/nightly/resume")).body).to.include({ pausedBy: null });
  });

  it("are on the metrics", async () => {
    await ask("POST", "/jobs", { kind: "verify", source: "shop" });
    const headers = { authorization: "Bearer 0123456789abcdef" };
    const text = await (await fetch(`${server.url}/metrics`, { headers })).text();
    for (const line of [
      'lockstep_jobs_live{source="shop",kind="verify",state="running"} 1',
      'lockstep_jobs_live{source="shop",kind="verify",state="paused"} 0',
      'lockstep_job_rows{source="shop",kind="verify"} 0',
      'lockstep_job_last_ok{source="shop",kind="repair"} 0',
      'lockstep_schedule_last_ok{source="shop",schedule="nightly"} 0',
      'lockstep_schedule_missed_runs_total{source="shop",schedule="nightly"} 0',
    ]) {
      expect(text).to.include(line);
    }
    expect(text).to.match(/lockstep_job_last_end_timestamp_seconds\{source="shop",kind="repair"\} \d+/);
  });
});
