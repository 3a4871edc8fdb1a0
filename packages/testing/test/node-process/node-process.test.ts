import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { NodeProcess } from "../../src/index.js";

const main = fileURLToPath(new URL("./talker.js", import.meta.url));

describe("node process", () => {
  it("says its lines, finds its files, and ends at SIGTERM", async () => {
    await using child = await NodeProcess.start({
      main,
      args: ["note.txt"],
      files: { "note.txt": "hello from a file" },
    });
    await child.untilSays("hello from a file");
    expect(await child.stop()).to.equal(7);
    expect(child.running).to.equal(false);
  });

  it("can be killed at any instant", async () => {
    await using child = await NodeProcess.start({ main, args: ["note.txt"], files: { "note.txt": "x" } });
    await child.kill();
    expect(await child.untilEnds()).to.equal(null);
  });

  it("tells what a program said that ended too early", async () => {
    await using child = await NodeProcess.start({ main, args: ["missing.txt"] });
    const failure = await child.untilSays("never").then(
      () => undefined,
      (error: Error) => error,
    );
    expect(failure?.message).to.include("ENOENT");
  });
});
