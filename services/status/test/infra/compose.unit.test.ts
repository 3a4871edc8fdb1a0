import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { loadConfig } from "@lockstep/config";
import { expect } from "chai";
import { isLoopback } from "../../src/access/listen-guard.js";
import { repository, yamlOf } from "./repository.js";

interface Service {
  readonly image?: string;
  readonly build?: {
    readonly context: string;
    readonly dockerfile: string;
    readonly args: Record<string, string>;
  };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string; readonly required?: unknown }>>;
  readonly healthcheck?: Readonly<Record<string, unknown>>;
  readonly develop?: unknown;
}

interface Compose {
  readonly name?: string;
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** `${NAME:-default}` as Compose fills it in with an empty environment. */
function withDefaults(environment: Readonly<Record<string, string>>): Record<string, string> {
  const filled = Object.entries(environment).map(([name, text]) => [
    name,
    text.replace(/\$\{\w+:-([^}]*)\}/g, (_, value: string) => value),
  ]);
  return Object.fromEntries(filled) as Record<string, string>;
}

async function onPath(command: string): Promise<string | undefined> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const file = join(folder, command);
    const found = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  return undefined;
}

const dockerCompose = await onPath("docker-compose");

describe("docker-compose.yml", () => {
  let compose: Compose;
  before(async () => {
    compose = await yamlOf<Compose>("docker-compose.yml");
  });

  it("describes the whole system", () => {
    expect(Object.keys(compose.services)).to.have.members([
      "source-postgres",
      "target-postgres",
      "target-mysql",
      "redis",
      "consumer",
      "status",
      "otel-collector",
      "prometheus",
      "grafana",
    ]);
  });

  it("publishes on loopback only", () => {
    const ports = Object.values(compose.services).flatMap((service) => service.ports ?? []);
    expect(ports).to.have.length.greaterThan(6);
    for (const port of ports) expect(isLoopback(port.slice(0, port.indexOf(":"))), port).to.equal(true);
  });

  it("keeps to what docker-compose 1.29 understands", () => {
    expect(compose).to.not.have.property("name");
    for (const service of Object.values(compose.services)) {
      expect(service).to.not.have.property("develop");
      expect(service.healthcheck ?? {}).to.not.have.property("start_interval");
      for (const dependency of Object.values(service.depends_on ?? {}))
        expect(dependency).to.not.have.property("required");
    }
  });

  it("names only services, volumes and files that are there", async () => {
    for (const [name, service] of Object.entries(compose.services)) {
      expect(Object.keys(compose.services), name).to.include.members(Object.keys(service.depends_on ?? {}));
      for (const volume of service.volumes ?? []) {
        const from = volume.slice(0, volume.indexOf(":"));
        if (from.startsWith("./")) await access(join(repository, from));
        else expect(compose.volumes).to.have.property(from);
      }
      if (service.build) await access(join(repository, service.build.dockerfile));
    }
  });

  it("waits only for services whose health is checked", () => {
    for (const { depends_on = {} } of Object.values(compose.services)) {
      for (const [name, { condition }] of Object.entries(depends_on)) {
        if (condition === "service_healthy")
          expect(compose.services[name], name).to.have.property("healthcheck");
      }
    }
  });

  it("holds no secret that can't be replaced from the environment", () => {
    for (const [name, { environment = {} }] of Object.entries(compose.services)) {
      for (const [variable, value] of Object.entries(environment)) {
        if (/PASSWORD|TOKEN|AUTH/.test(variable) || /:\/\/[^/]*:[^/]*@/.test(value))
          expect(value, `${name}.${variable}`).to.match(/\$\{\w+:-[^}]+\}/);
      }
    }
  });

  it("has Redis keep everything: append-only file, nothing evicted", () => {
    const command = compose.services["redis"]!.command!.join(" ");
    expect(command).to.include("--appendonly yes").and.to.include("--maxmemory-policy noeviction");
  });

  for (const name of ["consumer", "status"]) {
    it(`gives ${name} a configuration that it accepts, with the default environment`, async () => {
      const environment = withDefaults(compose.services[name]!.environment!);
      const config = await loadConfig({ file: join(repository, "infra/lockstep.config.json"), environment });
      expect(Object.keys(config.targets)).to.deep.equal(["reporting", "warehouse"]);
      const hosts = [
        config.redis,
        ...Object.values(config.targets).map((target) => ("url" in target ? target.url : "")),
      ].map((url) => new URL(url).hostname);
      expect(Object.keys(compose.services)).to.include.members(hosts);
    });
  }

  it("lets the status service listen for the others, which needs its token", async () => {
    const environment = withDefaults(compose.services["status"]!.environment!);
    const { status } = await loadConfig({
      file: join(repository, "infra/lockstep.config.json"),
      environment,
    });
    expect(isLoopback(status.host)).to.equal(false);
    expect(status.token).to.be.a("string");
  });

  // Only where there is one; the tests above read the file themselves and always run.
  if (dockerCompose !== undefined) {
    it("is accepted by docker-compose", async () => {
      await promisify(execFile)(dockerCompose, [
        "-f",
        join(repository, "docker-compose.yml"),
        "config",
        "-q",
      ]);
    });
  }
});
