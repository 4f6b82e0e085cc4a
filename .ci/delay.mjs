// A way to a mail server that takes time: `node .ci/delay.mjs PORT TARGET-PORT MS` passes bytes on half of MS later in
// each direction, so that a round trip takes MS longer than without it.
import { connect, createServer } from "node:net";

const [port, target, ms] = process.argv.slice(2).map(Number);
const half = ms / 2;

/** Passes on what comes, in its order, each piece as late as it should be. */
function pass(from, to) {
  from.setNoDelay(true);
  from.on("data", (bytes) => setTimeout(() => to.write(bytes), half));
  from.on("end", () => setTimeout(() => to.end(), half));
  from.on("error", () => to.destroy());
}

createServer((client) => {
  const server = connect(target, "127.0.0.1");
  pass(client, server);
  pass(server, client);
}).listen(port, "127.0.0.1");
