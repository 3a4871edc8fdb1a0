import { expect } from "chai";
import { startService } from "../src/index.js";

const services = ["@lockstep/consumer", "@lockstep/relay", "@lockstep/status"];

describe("a service with a wrong configuration", () => {
  for (const name of services) {
    it(`${name} says everything that is wrong, without values, and exits with 78`, async () => {
      const config = {
        redis: "http://secret",
        sources: { shop: { partitons: 2 } },
        targets: { a: { type: "oracle" } },
      };
      await using service = await startService(name, config);
      expect(await service.untilEnds()).to.equal(78);
      const said = service.output.join("\n");
      for (const part of ["CONFIG_INVALID", "redis", "partitons", "targets.a"]) expect(said).to.include(part);
      expect(said).not.to.include("secret");
    });
  }
});
