import type { Session } from "./session.js";

/** A few sessions for short questions beside the lanes: at most `max`, made when needed, kept while they live. */
export interface Sessions {
  /** Runs `work` with a session of its own. */
  use<T>(work: (session: Session) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Makes an empty set of sessions. */
export function keepSessions(connect: () => Promise<Session>, max: number): Sessions {
  const idle: Session[] = [];
  const waiting: (() => void)[] = [];
  let open = 0;
  let closed = false;

  const take = async (): Promise<Session> => {
    if (open >= max && idle.length === 0) {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return take();
    }
    for (let kept = idle.pop(); kept !== undefined; kept = idle.pop()) {
      if (kept.alive) return kept;
      open -= 1;
    }
    open += 1;
    try {
      return await connect();
    } catch (error) {
      open -= 1;
      waiting.shift()?.();
      throw error;
    }
  };

  const giveBack = async (session: Session, healthy: boolean): Promise<void> => {
    if (healthy && !closed) idle.push(session);
    else {
      open -= 1;
      await session.close();
    }
    waiting.shift()?.();
  };

  return {
    use: async (work) => {
      const session = await take();
      let healthy = false;
      try {
        const result = await work(session);
        healthy = true;
        return result;
      } finally {
        await giveBack(session, healthy);
      }
    },
    close: async () => {
      closed = true;
      await Promise.all(idle.splice(0).map((session) => session.close()));
    },
  };
}
