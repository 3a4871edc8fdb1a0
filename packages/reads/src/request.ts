import type { AsyncLocalStorage } from "node:async_hooks";
import type { Replica } from "./replica.js";

/** What one request has written and read, as far as it decides where its next read may go. */
export class Request {
  /** Counts what replicas must catch up with: writes, and what was read elsewhere. */
  #needs = 0;
  /** Of each space: a mark that holds all of the needs up to then. */
  readonly #marks = new Map<string, { readonly needs: number; readonly mark: string }>();
  /** Replicas known to hold all of the needs up to then, in the life that they had. */
  readonly #held = new Map<Replica, { readonly needs: number; readonly life: number }>();

  /** Of another process, or another request. */
  constructor(token: ReadonlyMap<string, string> = new Map()) {
    if (token.size === 0) return;
    this.#needs = 1;
    for (const [space, mark] of token) this.#marks.set(space, { needs: 1, mark });
  }

  /** From here on replicas must hold what is committed now. */
  need(): void {
    this.#needs++;
  }

  /**
   * A replica shows something: all others must come to hold it, and it does already. Said before a read, so that reads side by side stay with it, and behind
   * it: a mark that was taken meanwhile is older than what it showed.
   */
  shows(replica: Replica): void {
    const holds = this.isHeldBy(replica);
    this.need();
    if (holds) this.heldBy(replica, this.#needs);
  }

  get needs(): number {
    return this.#needs;
  }

  /** A mark of the space that holds all the needs; `undefined`: one must be taken. */
  markIn(space: string): string | undefined {
    const known = this.#marks.get(space);
    return known?.needs === this.#needs ? known.mark : undefined;
  }

  /** A mark of the space that was taken when there were so many needs. */
  marked(space: string, needs: number, mark: string): void {
    this.#marks.set(space, { needs, mark });
  }

  /** Whether the replica is known to hold all the needs. */
  isHeldBy(replica: Replica): boolean {
    const held = this.#held.get(replica);
    return this.#needs === (held?.life === replica.lives ? held.needs : 0);
  }

  heldBy(replica: Replica, needs: number): void {
    const { needs: before = 0, life = replica.lives } = this.#held.get(replica) ?? {};
    if (life !== replica.lives || needs > before) this.#held.set(replica, { needs, life: replica.lives });
  }
}

/** The request that the running code belongs to. One per {@link AsyncLocalStorage}, so that two sources don't mix. */
export type Requests = AsyncLocalStorage<Request>;
