import { bullLetterSchedule } from "@lockstep/stream";
import { eventually } from "@lockstep/testing";
import { expect } from "chai";
import { openRig, type StatusRig } from "../rig/status-rig.js";

describe("POST /api/v1/lanes/:id/pause and /resume", () => {
  let rig: StatusRig;
  before(async () => {
    rig = await openRig();
    await rig.setAside("reporting", [{}]);
  });
  after(() => rig.close());

  const paused = async () => (await rig.targets.get("reporting")!.checkpoints())[0]!.paused;

  it("keep the wish in the target and tell the lane", async () => {
    const schedule = bullLetterSchedule({ redis: rig.redisUrl, source: "shop" });
    let nudges = 0;
    const stop = schedule.onNudge({ source: "shop", target: "reporting", partition: 0 }, () => nudges++);
    try {
      // A subscription that isn't up yet hears nothing: deciding again is harmless.
      await eventually(async () => {
        const { status, body } = await rig.post(
          "/api/v1/lanes/shop~reporting~0/pause",
          {},
          { "x-lockstep-user": "ada" },
        );
        expect(status).to.equal(202);
        expect(body).to.deep.equal({ id: "shop~reporting~0", pauseRequested: true, by: "ada", nudged: true });
        return nudges > 0;
      });
      expect(await paused()).to.equal(true);
      expect((await rig.post("/api/v1/lanes/shop~reporting~0/resume")).body).to.include({
        pauseRequested: false,
      });
      expect(await paused()).to.equal(false);
    } finally {
      stop();
      await schedule.close();
    }
  });

  for (const id of [
    "shop~reporting~7",
    "shop~nobody~0",
    "nobody~reporting~0",
    "nonsense",
    "shop~reporting~x",
  ]) {
    it(`are 404 for a lane that isn't there: ${id}`, async () => {
      const { status, body } = await rig.post(`/api/v1/lanes/${id}/pause`);
      expect([status, body["code"]]).to.deep.equal([404, "LANE_UNKNOWN"]);
    });
  }

  it("refuse a body that says something", async () => {
    const { status, body } = await rig.post("/api/v1/lanes/shop~reporting~0/pause", { hours: 2 });
    expect([status, body["code"]]).to.deep.equal([400, "REQUEST_INVALID"]);
  });
});
