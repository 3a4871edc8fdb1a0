import { createHmac } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

export const secret = "whsec_bG9ja3N0ZXAgd2ViaG9vayBzZWNyZXQ=";

/** A message as the endpoint got it. */
export interface Received {
  readonly headers: IncomingMessage["headers"];
  readonly event: {
    readonly id: string;
    readonly type: string;
    readonly sequence: string;
    readonly partitionkey: string;
    readonly data: {
      readonly table: string;
      readonly row?: Readonly<Record<string, string | null>>;
      readonly only?: Readonly<Record<string, string>>;
      readonly unchanged?: readonly string[];
      readonly key: Readonly<Record<string, string>>;
      readonly previousKey?: Readonly<Record<string, string>>;
    };
  };
}

type Row = { readonly cells: Record<string, string | null> | undefined; readonly sequence: string };

/** An endpoint as an application would write it: checks the signature, drops late events by `sequence`, keeps the rows. */
export class Receiver implements AsyncDisposable {
  readonly received: Received[] = [];
  readonly #rows = new Map<string, Map<string, Row>>();
  /** Called before a message is taken; what it gives is the answer's status. */
  answer: (received: Received) => number | Promise<number> = () => 204;
  /** Messages of one row that came while another was being answered. */
  overlaps = 0;
  readonly #busy = new Set<string>();
  readonly #server = createServer((request, response) => {
    void this.#take(request).then(
      (status) => response.writeHead(status).end(status < 300 ? "" : "not like this"),
      () => response.writeHead(500).end(),
    );
  });

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  rows(table: string): readonly Readonly<Record<string, string | null>>[] {
    return [...(this.#rows.get(table)?.values() ?? [])].flatMap(({ cells }) =>
      cells === undefined ? [] : [cells],
    );
  }

  async #take(request: IncomingMessage): Promise<number> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    if (request.headers["webhook-signature"] !== expected(request.headers, body)) return 401;
    const one: Received = { headers: request.headers, event: JSON.parse(body) as Received["event"] };
    const { partitionkey } = one.event;
    if (this.#busy.has(partitionkey)) this.overlaps++;
    this.#busy.add(partitionkey);
    try {
      const status = await this.answer(one);
      if (status < 300) this.#apply(one);
      return status;
    } finally {
      this.#busy.delete(partitionkey);
    }
  }

  #apply(one: Received): void {
    this.received.push(one);
    const { type, sequence, data } = one.event;
    const rows = this.#rows.get(data.table) ?? new Map<string, Row>();
    this.#rows.set(data.table, rows);
    if (type === "lockstep.table.truncated") {
      for (const [key, { cells }] of rows)
        if (Object.entries(data.only ?? {}).every(([name, text]) => cells?.[name] === text)) rows.delete(key);
      return;
    }
    const key = JSON.stringify(data.key);
    const known = rows.get(key);
    if (known !== undefined && known.sequence > sequence) return;
    if (data.row === undefined) {
      rows.set(key, { cells: undefined, sequence });
      return;
    }
    // Columns that didn't change are those that the row had, under its former key if it moved.
    const source = data.previousKey === undefined ? known : rows.get(JSON.stringify(data.previousKey));
    const unchanged = (data.unchanged ?? []).map((name) => [name, source?.cells?.[name] ?? null] as const);
    rows.set(key, { cells: { ...data.row, ...Object.fromEntries(unchanged) }, sequence });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function expected(headers: IncomingMessage["headers"], body: string): string {
  const signed = `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`;
  const mac = createHmac("sha256", Buffer.from(secret.slice(6), "base64"))
    .update(signed)
    .digest("base64");
  return `v1,${mac}`;
}
