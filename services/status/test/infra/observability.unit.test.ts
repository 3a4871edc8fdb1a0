import { metricNames } from "@lockstep/core";
import { expect } from "chai";
import { textOf, yamlOf } from "./repository.js";

const known = new Set<string>(Object.values(metricNames));

/** Metric names in a PromQL expression: words that are followed by `{` or `[`, or that begin with the prefix of ours. */
function namesIn(expression: string): string[] {
  return expression.match(/\b(?:lockstep|process|nodejs)_\w+/g) ?? [];
}

function expectKnown(expressions: readonly string[]): void {
  const names = expressions.flatMap(namesIn);
  expect(names).to.have.length.greaterThan(0);
  for (const name of names) {
    if (name.startsWith("lockstep_")) expect([...known], name).to.include(name);
  }
}

interface Dashboard {
  readonly uid: string;
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly datasource: { readonly uid: string };
    readonly targets: readonly { readonly expr: string }[];
  }[];
  readonly templating: { readonly list: readonly { readonly query: { readonly query: string } }[] };
}

describe("infra", () => {
  it("has a dashboard that shows only metrics the service has, and each of them", async () => {
    const dashboard = JSON.parse(await textOf("infra/grafana/dashboards/lockstep.json")) as Dashboard;
    const expressions = [
      ...dashboard.panels.flatMap((panel) => panel.targets.map((target) => target.expr)),
      ...dashboard.templating.list.map((variable) => variable.query.query),
    ];
    expectKnown(expressions);
    expect(expressions.flatMap(namesIn)).to.include.members([...known]);
    expect(new Set(dashboard.panels.map((panel) => panel.id)).size).to.equal(dashboard.panels.length);
  });

  it("has the dashboard's data source provisioned", async () => {
    const dashboard = JSON.parse(await textOf("infra/grafana/dashboards/lockstep.json")) as Dashboard;
    const provisioned = await yamlOf<{ datasources: { uid: string; url: string }[] }>(
      "infra/grafana/provisioning/datasources/prometheus.yml",
    );
    const uids = new Set(dashboard.panels.map((panel) => panel.datasource.uid));
    expect([...uids]).to.deep.equal(provisioned.datasources.map((source) => source.uid));
  });

  it("alerts on metrics the service has, each with what to do", async () => {
    const alerts = await yamlOf<{
      groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[];
    }>("infra/prometheus/alerts.yml");
    const rules = alerts.groups.flatMap((group) => group.rules);
    expectKnown(rules.map((rule) => rule.expr));
    for (const { alert, annotations } of rules) expect(annotations, alert).to.have.keys("summary", "action");
  });

  it("has Prometheus scrape what compose runs", async () => {
    const prometheus = await yamlOf<{ scrape_configs: { static_configs: { targets: string[] }[] }[] }>(
      "infra/prometheus/prometheus.yml",
    );
    const compose = await yamlOf<{ services: Record<string, unknown> }>("docker-compose.yml");
    const hosts = prometheus.scrape_configs
      .flatMap((config) => config.static_configs)
      .flatMap((config) => config.targets)
      .map((target) => target.split(":")[0]);
    expect(Object.keys(compose.services)).to.include.members(hosts);
  });

  it("has a collector whose pipelines name only what it defines", async () => {
    type Parts = Record<string, unknown>;
    const collector = await yamlOf<{
      receivers: Parts;
      processors: Parts;
      exporters: Parts;
      connectors: Parts;
      service: {
        pipelines: Record<string, { receivers: string[]; processors: string[]; exporters: string[] }>;
      };
    }>("infra/otel/collector.yml");
    const { receivers, processors, exporters, connectors, service } = collector;
    for (const [name, pipeline] of Object.entries(service.pipelines)) {
      expect(Object.keys({ ...receivers, ...connectors }), name).to.include.members(pipeline.receivers);
      expect(Object.keys(processors), name).to.include.members(pipeline.processors);
      expect(Object.keys({ ...exporters, ...connectors }), name).to.include.members(pipeline.exporters);
    }
  });
});
