import { LockstepError } from "@lockstep/core";
import type { ObjectLiteral, Repository } from "typeorm";
import type { Publisher } from "../publisher.js";
import { checkTimeout, unknownTarget } from "./when-applied.js";

/** Which targets writes wait for. */
export interface DualWriteOptions {
  /** Names among the publisher's `targets`. */
  readonly targets: readonly string[];
  /** Longest wait of a write, for all targets together. Default 1000. */
  readonly timeoutMs?: number;
  /** What happens when a target hasn't the write in time: it is told, the write's result is returned all the same (default: nothing is told); or `throw` DUAL_WRITE_LATE. */
  readonly onTimeout?: ((late: { readonly target: string }) => void) | "throw";
}

/** Writes that return when targets have them too. */
export interface DualWrite {
  /** Runs a write on the primary, then waits. Not inside a transaction: around it. @throws LockstepError BARRIER_IN_TRANSACTION, CONFIG_INVALID; DUAL_WRITE_LATE. */
  run<T>(write: () => Promise<T>): Promise<T>;
  /** A repository whose writing methods wait like that; all else is as it was, methods of your own (`extend`) too. */
  repository<Entity extends ObjectLiteral>(repository: Repository<Entity>): Repository<Entity>;
}

const writing: ReadonlySet<string | symbol> = new Set([
  "save",
  "insert",
  "update",
  "updateAll",
  "upsert",
  "remove",
  "delete",
  "deleteAll",
  "softRemove",
  "softDelete",
  "recover",
  "restore",
  "increment",
  "decrement",
  "clear",
]);

const defaultTimeoutMs = 1_000;

/**
 * Dual write as *save, then wait until the target has it*: the primary decides alone, so a slow or failing target never fails a write or takes one back, and both sides never
 * diverge, as what comes late follows by the stream. @throws LockstepError CONFIG_INVALID.
 */
export function dualWrite(
  lockstep: Pick<Publisher, "whenApplied" | "targets">,
  { targets, timeoutMs = defaultTimeoutMs, onTimeout }: DualWriteOptions,
): DualWrite {
  if (targets.length === 0) throw new LockstepError("CONFIG_INVALID", "dualWrite: name at least one target");
  checkTimeout(timeoutMs);
  // Not at the first write: that would be there already, and be told as failed.
  for (const target of targets)
    if (!lockstep.targets.includes(target)) throw unknownTarget(target, lockstep.targets);
  const wait = async (): Promise<void> => {
    const states = await Promise.all(
      targets.map(async (target) => [target, await lockstep.whenApplied(target, { timeoutMs })] as const),
    );
    for (const [target, state] of states) if (state === "timed-out") tell(target);
  };
  const tell = (target: string): void => {
    if (onTimeout !== "throw") return onTimeout?.({ target });
    throw new LockstepError("DUAL_WRITE_LATE", `the target "${target}" hadn't it within ${timeoutMs} ms`);
  };
  const run = async <T>(write: () => Promise<T>): Promise<T> => {
    const result = await write();
    await wait();
    return result;
  };
  return {
    run,
    repository: (repository) =>
      new Proxy(repository, {
        get(plain, name) {
          const member: unknown = Reflect.get(plain, name, plain);
          if (typeof member !== "function") return member;
          return writing.has(name)
            ? (...given: unknown[]) => run(async () => (await member.apply(plain, given)) as unknown)
            : member.bind(plain);
        },
      }),
  };
}
