import { type ChangeLog, type LoggedEvent, type Position, eventsOf } from "@lockstep/core";

/** What capture has put into the log, read as the relay reads it. */
export interface Events {
  /** Events committed since the last call, in order. */
  next(): Promise<readonly LoggedEvent[]>;
}

/** Follows a log from its top. */
export async function followEvents(log: ChangeLog): Promise<Events> {
  let position: Position = await log.top();
  return {
    async next() {
      await log.cut();
      const events: LoggedEvent[] = [];
      for await (const page of log.read(position)) events.push(...eventsOf(page));
      position = await log.top();
      return events;
    },
  };
}
