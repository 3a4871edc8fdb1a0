import { loadConfig, type LockstepConfig } from "@lockstep/config";

/** The configuration that a command was given, or the working directory's. @throws LockstepError CONFIG_INVALID. */
export function configOf({ config }: { readonly config?: string }): Promise<LockstepConfig> {
  return loadConfig(config === undefined ? {} : { file: config });
}
