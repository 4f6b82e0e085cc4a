// Content hashes, stamps and precompressed copies.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, extname, join, relative } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const COMPRESSIBLE = new Set([".js", ".css", ".wasm", ".svg", ".json", ".txt", ".html", ".xml", ".ico"]);

/** Every file below a folder, or the file itself, as sorted full paths. */
export function walk(path) {
  if (!existsSync(path)) return [];
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

/** A hash over texts and buffers, long enough for a file name. */
export function hash(...parts) {
  const sum = createHash("sha256");
  for (const part of parts) sum.update(part).update("\0");
  return sum.digest("hex").slice(0, 16);
}

/** A hash over the names and contents of files and folders. */
export function hashFiles(paths) {
  return hash(...paths.flatMap(walk).flatMap((file) => [file, readFileSync(file)]));
}

/** Runs `step` unless it ran with the same inputs before and left `outputs` in place. */
export function once(work, name, inputs, outputs, step) {
  const stamp = join(work, `${name}.stamp`);
  const done = existsSync(stamp) && readFileSync(stamp, "utf8") === inputs && outputs.every(existsSync);
  if (done) return;
  rmSync(stamp, { force: true });
  const start = performance.now();
  step();
  writeFileSync(stamp, inputs);
  console.log(`${name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

/** Collects what the site is to hold, then makes the folder hold exactly that. */
export class Site {
  #kept = new Set();

  constructor(folder, release) {
    this.folder = folder;
    this.release = release;
  }

  /** Puts a file there as `dir/stem.HASH.ext`; returns the path that browsers ask for. */
  hashed(dir, stem, extension, content) {
    return this.plain(`${dir}/${stem}.${hash(content)}${extension}`, content);
  }

  /** Puts a file there under its own name, and its compressed copies beside it. */
  plain(name, content) {
    const buffer = Buffer.from(content);
    const fresh = this.#put(name, buffer);
    if (COMPRESSIBLE.has(extname(name))) {
      this.#put(`${name}.gz`, () => gzipSync(buffer, { level: this.release ? 9 : 1 }), fresh);
      this.#put(`${name}.br`, () => this.#brotli(buffer), fresh);
    }
    return `/${name}`;
  }

  /** Keeps a file that was put there by other means. */
  keep(name) {
    this.#kept.add(name);
  }

  /** Removes whatever this build did not put there. */
  prune() {
    for (const file of walk(this.folder)) {
      if (!this.#kept.has(relative(this.folder, file))) rmSync(file);
    }
  }

  #brotli(buffer) {
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: this.release ? constants.BROTLI_MAX_QUALITY : 1,
      [constants.BROTLI_PARAM_SIZE_HINT]: buffer.length,
    };
    return brotliCompressSync(buffer, { params });
  }

  // Answers whether the file had to be written; `content` may be a function that is dear to call.
  #put(name, content, force = false) {
    this.#kept.add(join(name));
    const path = join(this.folder, name);
    if (typeof content === "function") {
      if (!force && existsSync(path)) return false;
    } else if (existsSync(path) && readFileSync(path).equals(content)) {
      return false;
    }
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === "function" ? content() : content);
    return true;
  }
}
