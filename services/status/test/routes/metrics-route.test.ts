import { metricNames } from "@lockstep/core";
import { expect } from "chai";
import { openRig, type StatusRig } from "../rig/status-rig.js";

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Parses Prometheus' text form; throws on a line that isn't of it. */
function parseMetrics(text: string): {
  readonly samples: readonly Sample[];
  readonly types: ReadonlyMap<string, string>;
} {
  const samples: Sample[] = [];
  const types = new Map<string, string>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("# HELP ")) continue;
    const type = /^# TYPE (\w+) (counter|gauge|histogram|summary)$/.exec(line);
    if (type !== null) {
      types.set(type[1]!, type[2]!);
      continue;
    }
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (match === null || !isValue(match[3]!)) throw new Error(`not a metric: ${line}`);
    const labels = [...(match[2] ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map((m) => [m[1], m[2]]);
    samples.push({
      name: match[1]!,
      labels: Object.fromEntries(labels) as Record<string, string>,
      value: Number(match[3]),
    });
  }
  return { samples, types };
}

function isValue(text: string): boolean {
  return /^(NaN|[+-]Inf)$/.test(text) || !Number.isNaN(Number(text));
}

describe("GET /metrics", () => {
  let rig: StatusRig;
  before(async () => {
    rig = await openRig();
    await rig.setAside("reporting", [{}, { key: '["2"]' }]);
    await rig.reportRelay();
    await rig.reportLane();
  });
  after(() => rig.close());

  const scrape = async () => {
    const { status, body, headers } = await rig.get("/metrics");
    expect(status).to.equal(200);
    expect(headers.get("content-type")).to.match(/^text\/plain; version=0\.0\.4/);
    return parseMetrics(String(body["text"]));
  };

  it("gives every metric of the table, in Prometheus' form, with a type", async () => {
    const conflicts = [
      { table: "public.orders", policy: "primaryWins", outcome: "source", count: 3 },
    ] as const;
    await rig.reportLane({ conflicts });
    const { samples, types } = await scrape();
    for (const name of Object.values(metricNames)) {
      // Those of jobs have values where the source has a desk.
      if (!/^lockstep_(jobs?|schedule)_/.test(name))
        expect(samples.map((sample) => sample.name)).to.include(name);
      expect(types.get(name), name).to.equal(name.endsWith("_total") ? "counter" : "gauge");
    }
  });

  it("gives the values of lanes, relay and targets in seconds and counts", async () => {
    await rig.reportRelay();
    await rig.reportLane();
    const { samples } = await scrape();
    const value = (name: string, labels: Record<string, string>) =>
      samples.find((s) => s.name === name && Object.entries(labels).every(([k, v]) => s.labels[k] === v))
        ?.value;
    const lane = { source: "shop", target: "reporting", partition: "0" };
    expect(value(metricNames.laneLag, lane)).to.equal(0.34);
    expect(value(metricNames.laneEventsBehind, lane)).to.equal(10);
    expect(value(metricNames.laneRecords, lane)).to.equal(880);
    expect(value(metricNames.laneErrors, lane)).to.equal(2);
    expect(value(metricNames.laneState, { ...lane, state: "running" })).to.equal(1);
    expect(value(metricNames.laneState, { ...lane, state: "halted" })).to.equal(0);
    expect(value(metricNames.relayBacklog, { source: "shop" })).to.equal(12);
    expect(value(metricNames.relayOldest, { source: "shop" })).to.equal(0.34);
    expect(value(metricNames.relayPublished, { source: "shop" })).to.equal(900);
    expect(value(metricNames.relayLeader, { source: "shop" })).to.equal(1);
    expect(value(metricNames.letters, { target: "reporting", state: "dead" })).to.equal(2);
    expect(value(metricNames.targetUp, { target: "reporting" })).to.equal(1);
    expect(value(metricNames.streamUp, { source: "shop" })).to.equal(1);
  });

  it("leaves out the lag of a lane that doesn't know it, and the status says null", async () => {
    await rig.reportLane({ lagMs: null, eventsBehind: null });
    const names = (await scrape()).samples.map((sample) => sample.name);
    expect(names).to.include(metricNames.laneState);
    expect(names).not.to.include(metricNames.laneLag);
    expect(names).not.to.include(metricNames.laneEventsBehind);
    const { body } = await rig.get("/api/v1/status");
    expect(body).to.have.nested.include({
      "sources[0].lanes[0].lagMs": null,
      "sources[0].lanes[0].eventsBehind": null,
    });
  });

  it("gives the process's own metrics", async () => {
    const names = (await scrape()).samples.map((sample) => sample.name);
    expect(names).to.include.members([
      "process_resident_memory_bytes",
      "process_cpu_seconds_total",
      "nodejs_eventloop_lag_seconds",
    ]);
  });

  it("prints whole scrapes when two come at once", async () => {
    const [one, other] = await Promise.all([scrape(), scrape()]);
    const lockstep = (scraped: typeof one) => scraped.samples.filter((s) => s.name.startsWith("lockstep_"));
    expect(lockstep(one)).to.deep.equal(lockstep(other));
  });
});
