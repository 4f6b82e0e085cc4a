import { spawnSync } from "node:child_process";
import { ROOT, TARGET } from "./paths.mjs";

/** Runs a command in the repository's root; its failure ends the build. */
export function run(command, args, env = {}) {
  const result = spawnSync(command, args, {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, CARGO_TARGET_DIR: TARGET, ...env },
  });
  if (result.error) throw new Error(`${command} cannot be started: ${result.error.message}`);
  if (result.status !== 0) throw new Error(`${command} ${args.join(" ")} failed`);
}
