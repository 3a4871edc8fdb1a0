import { startCommand, startService } from "@lockstep/example-shop";
import { eventually } from "@lockstep/testing";

/** What is asked of the source about a target. */
export interface Registry {
  readonly isRegistered: () => Promise<boolean>;
  /** The next round's target must not be slowed down by this one's lane; and nobody waits for it. */
  readonly forget: () => Promise<unknown>;
}

/** Seconds that a full sync to a new target takes, from the start of its process to its end. */
export async function fullSync(config: object, target: string, registry: Registry): Promise<number> {
  await using _consumer = await startService("@lockstep/consumer", config);
  await eventually(registry.isRegistered, {
    what: "a registered target",
    timeoutMs: 30_000,
    intervalMs: 50,
  });
  const began = performance.now();
  await using child = await startCommand(["sync", "full", "--target", target], config);
  if ((await child.untilEnds()) !== 0) throw new Error(child.output.join("\n"));
  const took = (performance.now() - began) / 1000;
  await registry.forget();
  return took;
}
