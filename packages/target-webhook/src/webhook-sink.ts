import type { Sink, SinkRefusal } from "@lockstep/core";
import { type CloudEvent, rowEvent, truncateEvent } from "./cloud-event.js";
import { post } from "./post.js";
import { signatureHeaders } from "./sign.js";

/** What a webhook is made of. */
export interface WebhookOptions {
  /** Where events are posted, http or https. */
  readonly url: string;
  /** Signs the messages; several while a secret is being changed. `whsec_…` (base64) or any text. */
  readonly secret: string | readonly string[];
  /** An answer that takes longer is none, ms. Default 10000. */
  readonly timeoutMs?: number;
  /** Rows posted at the same time, each to its own key. Default 8. */
  readonly concurrency?: number;
  /** More headers, for a gateway. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

const defaults = { timeoutMs: 10_000, concurrency: 8, now: Date.now } as const;

/**
 * Posts each changed row as a CloudEvents 1.0 event (JSON, structured), signed as standard webhooks are. Events of a row come in order, one at a time, at
 * least once: an event that is sent again has the same id (`webhook-id`), and `sequence` sorts them. Statuses 400, 406, 409, 413, 415 and 422 refuse the
 * row, and it becomes a letter; anything else but 2xx, and no answer in time, is about the endpoint, and the lane waits.
 */
export function webhookSink(options: WebhookOptions): Sink {
  const { url, timeoutMs, concurrency, now, headers = {} } = { ...defaults, ...options };
  const secrets = [options.secret].flat();

  async function send(event: CloudEvent): Promise<Omit<SinkRefusal, "key"> | undefined> {
    const body = JSON.stringify(event);
    const signature = signatureHeaders({ id: event.id, timestamp: Math.floor(now() / 1000), body }, secrets);
    const type = { "content-type": "application/cloudevents+json; charset=utf-8" };
    const answer = await post(url, { headers: { ...headers, ...type, ...signature }, body }, timeoutMs);
    if (answer.kind === "taken") return undefined;
    return { code: "TARGET_REFUSED", about: `HTTP ${answer.status}`, rawError: answer.words };
  }

  return {
    address: addressOf(url),
    async write(table, changes, lane) {
      const refusals: SinkRefusal[] = [];
      await inParallel(changes, concurrency, async (change) => {
        const refusal = await send(rowEvent(table, change, lane));
        if (refusal !== undefined) refusals.push({ key: change.key, ...refusal });
      });
      return refusals;
    },
    async truncate(table, truncate, lane) {
      const refusal = await send(truncateEvent(table, truncate, lane));
      // No row to set aside: the lane waits until the endpoint takes it.
      if (refusal !== undefined) throw new Error(`the endpoint refused a truncate (${refusal.about})`);
    },
    close: () => Promise.resolve(),
  };
}

/** Runs `work` for all, some at a time; after a failure nothing new begins, and what has begun is waited for. */
async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failed = false;
  const workers = Array.from({ length: Math.min(width, items.length) }, async () => {
    while (next < items.length && !failed) {
      try {
        await work(items[next++]!);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  });
  const ends = await Promise.allSettled(workers);
  const first = ends.find((end) => end.status === "rejected");
  if (first !== undefined) throw first.reason;
}

/** Without credentials and query, which may hold tokens. */
function addressOf(text: string): string {
  const url = new URL(text);
  return `${url.protocol}//${url.host}${url.pathname}`;
}
