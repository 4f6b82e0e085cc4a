// A Postfix of its own, apart from the machine's: everything it has lies in one folder, it listens on
// loopback, and its delivery agent puts every letter into one mailbox (a Maildir).
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isListening } from "./ports.ts";

const USER_IDS = { uid: 65_534, gid: 65_534 }; // nobody, nogroup: owns the mailbox
const TOOLS = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

export type Mailbox = {
  /** The program that takes and keeps the letters. */
  kept: "postfix" | "smtp-sink";
  /** The letters so far, as they lie in the mailbox. */
  letters(): Buffer[];
  /** Stops the program; says everything it has logged. */
  stop(): string;
};

const settings = (folder: string, domains: string[]) => `compatibility_level = 3.6
queue_directory = ${folder}/queue
data_directory = ${folder}/data
maillog_file = ${folder}/log
maillog_file_prefixes = ${folder}
inet_interfaces = loopback-only
myhostname = postfix.vestnik.test
mydestination =
mynetworks = 127.0.0.0/8
smtputf8_enable = yes
alias_maps =
virtual_mailbox_domains = ${domains.join(", ")}
virtual_mailbox_base = ${folder}/mail
virtual_mailbox_maps = static:box/
virtual_uid_maps = static:${USER_IDS.uid}
virtual_gid_maps = static:${USER_IDS.gid}
default_transport = error:nothing leaves this test
relay_transport = error:nothing leaves this test
`;

const services = (port: number) => `127.0.0.1:${port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`;

/** Starts a mail server that keeps whatever comes for `domains`. Postfix starts for root alone (directly, or by
 * sudo without a password); elsewhere its smtp-sink takes the letters and writes them down. */
export async function startPostfix(folder: string, port: number, domains: string[]): Promise<Mailbox> {
  const root = asRoot();
  return root ? real(folder, port, domains, root) : sink(folder, port);
}

/** The words before a command that make it root's; undefined where that is not possible. */
function asRoot(): string[] | undefined {
  if (process.getuid?.() === 0) return [];
  return spawnSync("sudo", ["-n", "true"]).status === 0 ? ["sudo", "-n"] : undefined;
}

async function real(folder: string, port: number, domains: string[], root: string[]): Promise<Mailbox> {
  const run = (...words: string[]) => {
    const [command, ...rest] = [...root, ...words];
    return execFileSync(command!, rest, { env: TOOLS, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  };
  const [conf, mail, data] = [join(folder, "conf"), join(folder, "mail"), join(folder, "data")];
  chmodSync(folder, 0o755); // Postfix's own users go through it
  for (const name of [conf, mail, data, join(folder, "queue")]) mkdirSync(name);
  writeFileSync(join(conf, "main.cf"), settings(folder, domains));
  writeFileSync(join(conf, "master.cf"), services(port));
  run("chown", "-R", "root:root", conf, join(folder, "queue"));
  run("chown", "postfix", data);
  run("chown", `${USER_IDS.uid}:${USER_IDS.gid}`, mail);
  const postfix = run("sh", "-c", "PATH=$PATH:/usr/sbin:/sbin command -v postfix").trim();
  run(postfix, "-c", conf, "start");
  await isListening(port);
  const arrived = join(mail, "box", "new");
  return {
    kept: "postfix",
    letters() {
      // The mailbox is another user's and closed to us where we are not root ourselves.
      if (root.length > 0) run("chmod", "-R", "a+rX", mail);
      return existsSync(arrived) ? readdirSync(arrived).map((name) => readFileSync(join(arrived, name))) : [];
    },
    stop() {
      run(postfix, "-c", conf, "stop");
      const log = run("cat", join(folder, "log"));
      // What other users own can only go by root's hand.
      run("rm", "-rf", conf, mail, data, join(folder, "queue"), join(folder, "log"));
      return log;
    },
  };
}

async function sink(folder: string, port: number): Promise<Mailbox> {
  const kept = join(folder, "kept");
  mkdirSync(kept);
  const child = spawn("smtp-sink", ["-d", `${kept}/%M.`, `127.0.0.1:${port}`, "100"], { env: TOOLS, stdio: "ignore" });
  await isListening(port);
  return {
    kept: "smtp-sink",
    letters: () => readdirSync(kept).map((name) => readFileSync(join(kept, name))),
    stop() {
      child.kill("SIGTERM");
      return "";
    },
  };
}
