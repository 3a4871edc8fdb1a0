import { type LockstepConfig, loadConfig } from "@lockstep/config";
import { isLockstepError, kindAndPlace, LockstepError, reasonOf } from "@lockstep/core";
import { Command } from "commander";
import { type Logger, pino } from "pino";
import { startTelemetry } from "./telemetry.js";

/** Something that runs until it is disposed or ends by itself. */
export interface Running extends AsyncDisposable {
  /** How it ended: rejects when it failed. */
  readonly done: Promise<void>;
}

/** What a service is started with. */
export interface ServiceContext {
  readonly config: LockstepConfig;
  readonly logger: Logger;
}

/** Exit codes, as sysexits has them: 0 drained, 1 failed, 78 the configuration or the command line is wrong. */
const exitCodes = { drained: 0, failed: 1, config: 78 } as const;

/**
 * A service's whole life: reads `--config`, starts, and on SIGTERM or SIGINT drains within `drainTimeoutMs`. A second signal ends it at once.
 * Never returns: the process exits.
 */
export async function runProcess(
  name: string,
  start: (context: ServiceContext) => Promise<Running>,
): Promise<never> {
  const program = new Command(`lockstep-${name}`)
    .description(`Lockstep's ${name}: runs until SIGTERM or SIGINT, then drains.`)
    .option("-c, --config <file>", "configuration file (default: lockstep.config.* in the working directory)")
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? exitCodes.drained : exitCodes.config))
    .parse();
  const { config: file } = program.opts<{ config?: string }>();
  let logger: Logger = pino({ name });
  try {
    const config = await loadConfig(file === undefined ? {} : { file });
    logger = pino({ name, level: config.logLevel });
    const stopTelemetry = await startTelemetry(`lockstep-${name}`);
    const running = await start({ config, logger });
    logger.info({ pid: process.pid }, "started");
    const code = await untilEnd(running, config.drainTimeoutMs, logger);
    await withinBound(stopTelemetry(), 2000).catch(() => undefined);
    process.exit(code);
  } catch (error) {
    report(logger, error);
    process.exit(isMistake(error) ? exitCodes.config : exitCodes.failed);
  }
}

/** What no restart mends, told from what one may. */
function isMistake(error: unknown): boolean {
  return isLockstepError(error, "CONFIG_INVALID") || isLockstepError(error, "LISTEN_WITHOUT_TOKEN");
}

async function untilEnd(running: Running, drainTimeoutMs: number, logger: Logger): Promise<number> {
  const signal = new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) {
      process.once(name, () => {
        resolve(name);
        process.once(name, () => process.exit(exitCodes.failed));
      });
    }
  });
  const received = await Promise.race([signal, running.done.then(() => undefined)]);
  logger.info({ signal: received }, "draining");
  await withinBound(running[Symbol.asyncDispose](), drainTimeoutMs);
  logger.info({}, "drained");
  return exitCodes.drained;
}

async function withinBound(work: PromiseLike<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new LockstepError("DRAIN_TIMEOUT", `draining took longer than ${timeoutMs} ms`)),
      timeoutMs,
    );
  });
  try {
    await Promise.race([work, bound]);
  } finally {
    clearTimeout(timer);
  }
}

// Only Lockstep's own errors are known to hold no values; of others the name and code are told.
function report(logger: Logger, error: unknown): void {
  if (isLockstepError(error)) {
    logger.error({ code: error.code, details: error.details, because: reasonOf(error) }, error.message);
    return;
  }
  const fields =
    error instanceof Error
      ? { error: kindAndPlace(error), because: reasonOf(error), stack: framesOf(error) }
      : {};
  logger.error(fields, "failed");
}

function framesOf(error: Error): string[] {
  return (error.stack ?? "")
    .split("\n")
    .filter((line) => line.trimStart().startsWith("at "))
    .slice(0, 10);
}
