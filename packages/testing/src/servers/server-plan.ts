import type { ServerKind } from "./binaries/server-binary.js";

/** What differs between the kinds of servers: how one is started on a port and folder, asked and ended. */
export interface ServerPlan {
  readonly kind: ServerKind;
  /** The server's own folder; also its working folder. */
  readonly folder: string;
  readonly port: number;
  readonly url: string;
  readonly command: {
    readonly program: string;
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
  };
  /** True when *this* server answers (not another one that got the port first). Throws or says false while it doesn't. */
  probe(): Promise<boolean>;
  /** Ends it in order. */
  readonly stopSignal: NodeJS.Signals;
  /** Ends it as a crash would. */
  readonly killSignal: NodeJS.Signals;
}
