import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { runHere } from "./sync/rig.js";

/** A source and a target that are nowhere. */
const nowhere = {
  redis: "redis://127.0.0.1:1",
  sources: { shop: { url: "postgres://app:a-secret@127.0.0.1:1/shop" } },
  targets: { copy: { type: "postgres", url: "postgres://app:a-secret@127.0.0.1:1/copy" } },
};

describe("the first steps with lockstep", () => {
  let folder: string;
  const given = async (text: string, name = "lockstep.config.json"): Promise<string> => {
    const file = join(folder, name);
    await writeFile(file, text);
    return file;
  };
  before(async () => void (folder = await mkdtemp(join(tmpdir(), "lockstep-first-"))));
  after(() => rm(folder, { recursive: true, force: true }));

  it("say which version there is", async () => {
    const { code, out } = await runHere(["--version"]);
    expect([code, /^\d+\.\d+\.\d+/.test(out.join())]).deep.equal([0, true]);
  });

  it("say of a source that can't be reached why, whatever was asked, and no secret", async () => {
    const config = await given(JSON.stringify(nowhere));
    const asked = [
      "verify",
      "repair",
      "jobs list",
      "sync list",
      "sync full",
      "capture status",
      "schedules run x",
    ];
    for (const command of asked) {
      const { code, error } = await runHere([...command.split(" "), "--config", config]);
      const wanted = command === "schedules run x" ? "SCHEDULE_UNKNOWN" : "[SOURCE_UNAVAILABLE]";
      expect([code > 0, error], command).to.satisfy(
        ([failed, said]: [boolean, string]) => failed && said.includes(wanted),
      );
      if (wanted === "[SOURCE_UNAVAILABLE]")
        expect(error, command).include("because: nothing listens at that host and port (ECONNREFUSED)");
      expect(error).not.include("a-secret");
    }
  });

  it("say where a configuration can't be read, and nothing that stands in it", async () => {
    const config = await given(
      'export default {\n  redis: "redis://:a-secret@h",\n  oops oops\n};\n',
      "broken.config.mjs",
    );
    const { code, error } = await runHere(["verify", "--config", config]);
    expect([code, error]).deep.include(2);
    expect(error)
      .match(/could not be read \(.*line 3\)/)
      .and.not.include("a-secret");
  });
});
