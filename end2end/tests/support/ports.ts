import { once } from "node:events";
import { connect, createServer } from "node:net";
import { expect } from "@playwright/test";

/** A port of the loopback address that nobody listens on. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, "close");
  return port;
}

/** Waits until somebody listens there. */
export async function isListening(port: number): Promise<void> {
  await expect.poll(() => answers(port), { timeout: 15_000, message: `a listener on port ${port}` }).toBe(true);
}

function answers(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => done(true)).once("error", () => done(false));
    socket.once("connect", () => socket.destroy());
  });
}
