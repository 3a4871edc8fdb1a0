import { Writable } from "node:stream";
import { expect } from "chai";
import { pino } from "pino";
import { openRig } from "./rig/status-rig.js";

describe("the log", () => {
  it("holds who decided what, and no values, tokens, queries or bodies", async () => {
    const lines: string[] = [];
    const sink = new Writable({
      write(chunk: Buffer, _, done) {
        lines.push(...chunk.toString().trimEnd().split("\n"));
        done();
      },
    });
    const token = "a-token-of-some-length";
    const rig = await openRig({ token, logger: pino({ level: "trace" }, sink) });
    const headers = { authorization: `Bearer ${token}`, "x-lockstep-user": "ada" };
    try {
      const [id] = (await rig.setAside("reporting", [{}])) as [string];
      const path = `/api/v1/dead-letters/${encodeURIComponent(id)}`;
      await rig.get(path, headers);
      await rig.get("/api/v1/dead-letters?text=searched-for-value", headers);
      await rig.get("/api/v1/dead-letters?limit=wrong-value", headers);
      await rig.get("/api/v1/status", { authorization: "Bearer wrong-token-value" });
      await rig.post(`${path}/replay`, undefined, headers);
      await rig.post(`${path}/discard`, { reason: "the-reason-value" }, headers);
      await rig.post(`${path}/discard`, { reasons: "the-reason-value" }, headers);
    } finally {
      await rig.close();
    }
    const text = lines.join("\n");
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).to.include.members([
      "letter replayed",
      "letter discarded",
      "request answered",
    ]);
    expect(text).to.include('"by":"ada"').and.to.include("/api/v1/dead-letters/:id/discard");
    for (const secret of [
      "ada@example.com",
      "secret note",
      "searched-for",
      "wrong-value",
      "the-reason",
      token,
      "wrong-token",
    ])
      expect(text, secret).to.not.include(secret);
  });
});
