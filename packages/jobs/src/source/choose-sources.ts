import type { LockstepConfig } from "@lockstep/config";
import { LockstepError, silentLogger } from "@lockstep/core";
import { type CaptureSource, sourceOfUrl } from "@lockstep/publisher/capture";

/** A source of the configuration that a command works on. */
export interface ChosenSource {
  readonly settings: LockstepConfig["sources"][string];
  /** Where its outbox is: the source itself, or its state store. */
  readonly source: CaptureSource;
  /** Where its rows are. */
  readonly rows: CaptureSource;
  /** URL of the Redis that its stream is in. */
  readonly redis: string;
}

/**
 * The source named, or all of the configuration.
 * @throws LockstepError CONFIG_INVALID: unknown source, a source without `url`.
 */
export function chooseSources(config: LockstepConfig, source?: string): readonly ChosenSource[] {
  const names = source === undefined ? Object.keys(config.sources) : [source];
  return names.map((name) => {
    const settings = config.sources[name];
    if (settings === undefined) {
      const known = Object.keys(config.sources).join(", ");
      throw new LockstepError("CONFIG_INVALID", `there is no source "${name}"; known: ${known}`);
    }
    if (settings.url === undefined) {
      throw new LockstepError(
        "CONFIG_INVALID",
        `sources.${name}.url: Lockstep connects to the source for this`,
      );
    }
    const { redis = config.redis, url, stateStore = url } = settings;
    return {
      settings,
      redis,
      source: at(name, stateStore, settings),
      rows: at(name, url, settings),
    };
  });
}

/** @throws LockstepError SOURCE_UNTOUCHED for a source that holds nothing of ours, where this would lock rows in it or write to it. */
export function refuseUntouched(
  { settings, source }: Pick<ChosenSource, "settings" | "source">,
  what: string,
): void {
  if (settings.stateStore === undefined) return;
  throw new LockstepError(
    "SOURCE_UNTOUCHED",
    `${what} is not for the source "${source.name}", which has a stateStore`,
  );
}

function at(
  name: string,
  url: string,
  { outbox, foreignKeyActions }: ChosenSource["settings"],
): CaptureSource {
  return sourceOfUrl(url, { name, outbox: outbox, logger: silentLogger, foreignKeyActions });
}
