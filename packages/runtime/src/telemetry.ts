import type { Environment } from "@lockstep/config";

/** Stops what was started and sends what is left. */
export type StopTelemetry = () => Promise<void>;

/**
 * Starts OpenTelemetry when it is configured, by its own environment variables (`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_TRACES_EXPORTER`,
 * `OTEL_METRICS_EXPORTER`); off otherwise, and then nothing of it is even loaded. Statements are recorded without their parameters.
 */
export async function startTelemetry(
  service: string,
  environment: Environment = process.env,
): Promise<StopTelemetry> {
  if (!isConfigured(environment)) return () => Promise.resolve();
  const { NodeSDK } = await import("@opentelemetry/sdk-node");
  const { IORedisInstrumentation } = await import("@opentelemetry/instrumentation-ioredis");
  const { PgInstrumentation } = await import("@opentelemetry/instrumentation-pg");
  const { MySQL2Instrumentation } = await import("@opentelemetry/instrumentation-mysql2");
  const sdk = new NodeSDK({
    serviceName: environment["OTEL_SERVICE_NAME"] ?? service,
    instrumentations: [
      // Arguments hold row values: only the command's name is recorded.
      new IORedisInstrumentation({ requireParentSpan: true, dbStatementSerializer: (command) => command }),
      new PgInstrumentation({ requireParentSpan: true, enhancedDatabaseReporting: false }),
      // MySQL statements carry their values as literals: the text is cut to its verb.
      new MySQL2Instrumentation({
        maskStatement: true,
        maskStatementHook: (statement) => statement.split(/\s/, 1)[0] ?? "",
      }),
    ],
  });
  sdk.start();
  return () => sdk.shutdown();
}

function isConfigured(environment: Environment): boolean {
  if (environment["OTEL_SDK_DISABLED"] === "true") return false;
  return [
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_TRACES_EXPORTER",
    "OTEL_METRICS_EXPORTER",
  ].some((name) => (environment[name] ?? "") !== "");
}
