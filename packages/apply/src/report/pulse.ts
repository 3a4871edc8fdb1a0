import type { LaneRoom } from "../life/lane-room.js";

const pulseMs = 200;
const reportMs = 1_000;

/**
 * Beside the lane, whatever it is doing: acknowledges, and says every second how it is. A lane that stands by is silent, because its owner
 * speaks for it.
 */
export function startPulse(room: LaneRoom, owned: () => boolean): AsyncDisposable {
  const stop = new AbortController();
  let reportedAt = -Infinity;
  const beat = async (): Promise<void> => {
    room.acks.pulse();
    if (room.elapsed() - reportedAt < reportMs) return;
    reportedAt = room.elapsed();
    await report(room, owned);
  };
  const beating = (async () => {
    while (!stop.signal.aborted) {
      await beat();
      await room.sleep(pulseMs, stop.signal);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await beating;
    },
  };
}

async function report(room: LaneRoom, owned: () => boolean): Promise<void> {
  const { reader, status } = room;
  // Unknown while Redis is away: what the relay said before that is no news of how far behind the lane is.
  status.relay = await reader.relay().catch(() => undefined);
  try {
    const { name } = status.phase;
    const speaks = owned() || name === "paused" || name === "halted";
    if (speaks && status.targetId !== "") await reader.report(status.report());
  } catch {
    // Redis is away: the lane's reading says so; the next second tries again.
  }
}
