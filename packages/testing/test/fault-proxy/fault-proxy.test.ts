import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { expect } from "chai";
import { eventually, startProxy, type FaultProxy } from "../../src/index.js";

describe("fault proxy", () => {
  let echo: Server;
  let proxy: FaultProxy;
  let clients: Socket[];

  beforeEach(async () => {
    clients = [];
    echo = createServer((socket) => socket.on("error", () => undefined).pipe(socket)).listen(0, "127.0.0.1");
    await once(echo, "listening");
    proxy = await startProxy({ port: (echo.address() as AddressInfo).port });
  });
  afterEach(async () => {
    for (const client of clients) client.destroy();
    await proxy[Symbol.asyncDispose]();
    await new Promise((closed) => echo.close(closed));
  });

  async function open(): Promise<Socket> {
    const client = connect(proxy.port, "127.0.0.1").on("error", () => undefined);
    clients.push(client);
    await once(client, "connect");
    return client;
  }
  async function echoed(client: Socket, text: string): Promise<string> {
    client.write(text);
    const [answer] = (await once(client, "data")) as [Buffer];
    return answer.toString();
  }

  it("passes bytes and names itself in the server's URL", async () => {
    expect(await echoed(await open(), "hello")).to.equal("hello");
    expect(proxy.url("postgres://me:secret@127.0.0.1:1/shop?a=b")).to.equal(
      `postgres://me:secret@127.0.0.1:${proxy.port}/shop?a=b`,
    );
    expect(proxy.connections).to.equal(1);
  });

  it("cuts: open connections break, new ones are refused, until it heals on the same port", async () => {
    const before = await open();
    await echoed(before, "warm");
    const closed = closeOf(before);
    await proxy.cut();
    await closed;
    const refused = connect(proxy.port, "127.0.0.1");
    const [error] = (await once(refused, "error")) as [NodeJS.ErrnoException];
    expect(error.code).to.equal("ECONNREFUSED");
    await proxy.heal();
    expect(await echoed(await open(), "again")).to.equal("again");
  });

  it("resets: open connections break once, new ones work", async () => {
    const before = await open();
    await echoed(before, "warm");
    const closed = closeOf(before);
    proxy.reset();
    await closed;
    expect(await echoed(await open(), "next")).to.equal("next");
  });

  it("freezes: nothing passes and nothing breaks, and held bytes arrive when it heals", async () => {
    const client = await open();
    await echoed(client, "warm");
    proxy.blackHole();
    let arrived = "";
    client.on("data", (piece: Buffer) => (arrived += piece.toString()));
    client.write("held");
    const second = await open();
    expect(second.destroyed).to.equal(false);
    await eventually(async () => proxy.connections === 2, { what: "the proxy to accept while frozen" });
    expect(arrived).to.equal("");
    await proxy.heal();
    await eventually(async () => arrived === "held", { what: "held bytes" });
  });

  it("freezes farewells too", async () => {
    const client = await open();
    await echoed(client, "warm");
    proxy.blackHole();
    const closed = closeOf(client);
    client.end();
    // One that is open longer than its farewell needs: both take the same way through the proxy.
    const witness = await open();
    await eventually(async () => proxy.connections === 2, { what: "the proxy to accept while frozen" });
    expect([client.destroyed, witness.destroyed]).to.deep.equal([false, false]);
    await proxy.heal();
    await closed;
  });

  it("delays in each direction", async () => {
    const client = await open();
    await echoed(client, "warm");
    proxy.delay(40);
    const started = performance.now();
    await echoed(client, "slow");
    // Timers may fire up to a millisecond early.
    expect(performance.now() - started).to.be.greaterThan(75);
    proxy.delay(0);
  });

  it("keeps the order of bytes while delays change", async () => {
    const client = await open();
    let arrived = "";
    client.on("data", (piece: Buffer) => (arrived += piece.toString()));
    const sent = Array.from({ length: 200 }, (_, index) => `${index};`);
    for (const [index, text] of sent.entries()) {
      proxy.delay(index % 3);
      client.write(text);
      await new Promise(setImmediate);
    }
    await eventually(async () => arrived.length === sent.join("").length, { what: "all bytes" });
    expect(arrived).to.equal(sent.join(""));
  });

  it("passes the end of a connection on", async () => {
    const client = await open();
    await echoed(client, "warm");
    client.end();
    await eventually(async () => proxy.connections === 0, { what: "the pair to close" });
  });
});

// Not events.once: that fails on the error event which a broken connection has first.
function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()));
}
