import { loadConfig, type LockstepConfig } from "@lockstep/config";
import { LockstepError, silentLogger } from "@lockstep/core";
import { type CaptureSource, sourceOfUrl } from "@lockstep/publisher/capture";

/** A source of the configuration that a command works on. */
export interface ChosenSource {
  readonly settings: LockstepConfig["sources"][string];
  readonly source: CaptureSource;
  /** URL of the Redis that its stream is in. */
  readonly redis: string;
}

/**
 * Reads the configuration and gives the source named, or all of them.
 * @throws LockstepError CONFIG_INVALID: wrong configuration, unknown source, a source without `url`.
 */
export async function chooseSources(options: {
  readonly config?: string;
  readonly source?: string;
}): Promise<readonly ChosenSource[]> {
  const config = await loadConfig(options.config === undefined ? {} : { file: options.config });
  const names = options.source === undefined ? Object.keys(config.sources) : [options.source];
  return names.map((name) => {
    const settings = config.sources[name];
    if (settings === undefined) {
      const known = Object.keys(config.sources).join(", ");
      throw new LockstepError("CONFIG_INVALID", `there is no source "${name}"; known: ${known}`);
    }
    if (settings.url === undefined) {
      throw new LockstepError("CONFIG_INVALID", `sources.${name}.url: this command connects to the source`);
    }
    const { outbox, redis = config.redis, url, foreignKeyActions } = settings;
    return {
      settings,
      redis,
      source: sourceOfUrl(url, {
        name,
        outbox: definedOf(outbox),
        logger: silentLogger,
        foreignKeyActions,
      }),
    };
  });
}

function definedOf({ schema, prefix }: LockstepConfig["sources"][string]["outbox"]) {
  return { ...(schema !== undefined && { schema }), ...(prefix !== undefined && { prefix }) };
}
