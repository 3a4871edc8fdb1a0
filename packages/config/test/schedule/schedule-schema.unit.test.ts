import { expect } from "chai";
import { parseConfig } from "../../src/index.js";

const around = {
  redis: "redis://localhost",
  sources: { shop: { url: "postgres://localhost/shop" }, crm: {} },
  targets: {
    copy: { type: "postgres", url: "postgres://localhost/copy" },
    other: { type: "postgres", url: "postgres://localhost/other", sources: ["crm"] },
  },
};

const said = (schedule: object): string => {
  try {
    parseConfig({ ...around, schedules: { nightly: JSON.parse(JSON.stringify(schedule)) as object } });
    return "";
  } catch (error) {
    return (error as Error).message;
  }
};

describe("schedules of a configuration", () => {
  const right = { kind: "verify", source: "shop", cron: "0 2 * * *" };

  it("take the options of their kind, and UTC where no zone is named", () => {
    const { schedules } = parseConfig({
      ...around,
      schedules: {
        nightly: { ...right, sample: 10, targets: ["copy"], window: { from: "22:00", to: "06:00" } },
      },
    });
    expect(schedules["nightly"]).to.deep.include({ kind: "verify", timeZone: "UTC", sample: 10 });
  });

  it("are refused with what is wrong and where", () => {
    for (const [wrong, ...words] of [
      [{ kind: "backup" }, "schedules.nightly.kind: must be one of full, incremental, verify, repair"],
      [{ cron: "0 2" }, "schedules.nightly.cron: must be a cron expression: minute hour"],
      [{ cron: undefined }, "schedules.nightly.cron"],
      [{ timeZone: "Mars/Base" }, "schedules.nightly.timeZone: must be the name of a time zone"],
      [{ source: "shopp" }, "schedules.nightly.source: names an unknown source; known: shop, crm"],
      [{ source: undefined }, "schedules.nightly.source: must name one of the sources: shop, crm"],
      [{ source: "crm" }, "schedules.nightly.source: sources.crm.url is needed"],
      [
        { targets: ["copyy"] },
        "schedules.nightly.targets: names an unknown target: copyy; known: copy, other",
      ],
      [{ targets: ["other"] }, "schedules.nightly.targets: other doesn't mirror shop"],
      [
        { window: { from: "22:00", to: "24:00" } },
        "schedules.nightly.window.to: must be a time of day as HH:MM",
      ],
      [{ window: { from: "22:00", to: "22:00" } }, "schedules.nightly.window: must not end when it begins"],
      [{ window: { from: "03:00", to: "06:00" } }, "schedules.nightly.window: is closed whenever"],
      [{ keepExtra: true }, "schedules.nightly", "keepExtra"],
      [{ sample: 0 }, "schedules.nightly.sample"],
      [{ kind: "full", where: "id > 5" }, "schedules.nightly.where: is about one table"],
    ] as const) {
      const message = said({ ...right, ...wrong });
      for (const word of words) expect(message, JSON.stringify(wrong)).to.include(word);
    }
    expect(said(right)).to.equal("");
    expect(said({ ...right, cron: "* * * * *", window: { from: "03:00", to: "03:01" } })).to.equal("");
  });
});
