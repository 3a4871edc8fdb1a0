import { expect } from "chai";
import { cronProblem, dueBetween, nextDue, windowAt } from "../../src/schedule/schedule-times.js";

const at = (text: string): number => new Date(text).getTime();
const timeZone = "Europe/Berlin";

describe("when a schedule is due", () => {
  it("in its own time zone, once on the days on which clocks change", () => {
    const nightly = { cron: "30 2 * * *", timeZone };
    // 02:30 doesn't exist on this day, and comes twice on the other.
    const spring = dueBetween(nightly, at("2026-03-28T12:00:00Z"), at("2026-03-30T12:00:00Z"), 9);
    expect(spring).to.deep.equal([at("2026-03-29T01:30:00Z"), at("2026-03-30T00:30:00Z")]);
    const autumn = dueBetween(nightly, at("2026-10-24T12:00:00Z"), at("2026-10-26T12:00:00Z"), 9);
    expect(autumn).to.deep.equal([at("2026-10-25T00:30:00Z"), at("2026-10-26T01:30:00Z")]);
  });

  it("never at the moment itself, up to the other one, and not without bound", () => {
    const everySecond = { cron: "* * * * * *", timeZone: "UTC" };
    const now = at("2026-01-01T00:00:00Z");
    expect(nextDue(everySecond, now)).to.equal(now + 1_000);
    expect(dueBetween(everySecond, now, now + 2_000, 99)).to.deep.equal([now + 1_000, now + 2_000]);
    expect(dueBetween(everySecond, now, now + 1e9, 5)).to.have.length(5);
    expect(dueBetween(everySecond, now, now, 5)).to.deep.equal([]);
  });

  it("says what is no cron expression", () => {
    for (const wrong of ["", "0 2", "@daily", "61 * * * *", "0 2 31 2 *", "H 2 * * *", "* * * * * * *"]) {
      expect(cronProblem(wrong), wrong).to.include("must be a cron expression");
    }
    for (const right of ["0 2 * * *", "*/5 9-17 * * MON-FRI", "30 0 2 * * *", "0 0 L * *"]) {
      expect(cronProblem(right), right).to.equal(undefined);
    }
  });
});

describe("the window of a schedule", () => {
  const night = { cron: "0 * * * *", timeZone, window: { from: "22:00", to: "06:00" } };

  it("goes over midnight, and holds the moment it opens but not the one it closes", () => {
    const state = (text: string) => windowAt(night, at(text));
    expect(state("2026-01-10T20:59:59Z")).to.deep.equal({
      isOpen: false,
      changesAt: at("2026-01-10T21:00:00Z"),
    });
    expect(state("2026-01-10T21:00:00Z")).to.deep.equal({
      isOpen: true,
      changesAt: at("2026-01-11T05:00:00Z"),
    });
    expect(state("2026-01-11T04:59:59Z").isOpen).to.equal(true);
    expect(state("2026-01-11T05:00:00Z").isOpen).to.equal(false);
  });

  it("lies within a day otherwise, and is always open where there is none", () => {
    const noon = { ...night, window: { from: "11:30", to: "12:15" } };
    expect(windowAt(noon, at("2026-01-10T10:29:59Z")).isOpen).to.equal(false);
    expect(windowAt(noon, at("2026-01-10T10:30:00Z")).isOpen).to.equal(true);
    expect(windowAt({ cron: "0 * * * *", timeZone }, 0)).to.deep.equal({ isOpen: true });
  });
});
