import type { Session } from "../session/session.js";
import type { Command } from "../wire/pipeline.js";

/** How the server notices that a lane's owner has fallen silent. */
export interface LanePulse {
  /** How often the lane says that it is there, whatever it waits for, ms. */
  readonly everyMs: number;
  /** The server ends a session that was silent for so long, ms: the lane is free then. */
  readonly silentMs: number;
}

/** Every 3 s, 20 s. */
export const defaultPulse: LanePulse = { everyMs: 3_000, silentMs: 20_000 };

/**
 * The server's end, from PostgreSQL 14 on. A process that hangs or is stopped keeps its connection: TCP keepalives are answered by its
 * kernel, or by a proxy in between, and nobody could ever take its lane over.
 */
export function endWhenSilent({ silentMs }: LanePulse): Command {
  return {
    text: `select set_config(name, '${silentMs}', false) from pg_settings where name = 'idle_session_timeout'`,
  };
}

/** Says that the lane is there until its session ends. Not inside of a step: one that hangs must be ended by the server's limit for idle transactions. */
export function beat(session: Session, { everyMs }: LanePulse, isInStep: () => boolean): void {
  const timer = setInterval(() => {
    if (!session.isOpen) clearInterval(timer);
    else if (!isInStep()) void session.query("select").catch(() => undefined);
  }, everyMs).unref();
}
